"""Changing the username."""

import pytest

from accounts.models import User
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


def test_a_new_name_signs_in_and_is_told_to_the_address(mailbox, signed_in, ada):
    page = signed_in.post("/account/username", {"username": " Ada.Lovelace "}, follow=True)

    assert "Your username is now ada.lovelace." in words(page)
    assert mailbox.kinds(ada.email).count("username_changed") == 1
    assert "ada is now called ada.lovelace" in " ".join(mailbox.text(ada.email).split())
    signed_in.post("/logout")
    assert signed_in.post("/login", {"login": "ada.lovelace", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "Enter a username"), ("x", "between 3 and 30"), ("admin", "reserved"), ("grace", "grace2 is free")],
)
def test_a_refused_form_says_why_and_changes_nothing(mailbox, signed_in, ada, typed, said):
    UserFactory(username="grace")

    page = signed_in.post("/account/username", {"username": typed})

    assert said in words(page)
    assert User.objects.get(pk=ada.pk).username == "ada"
    assert "username_changed" not in mailbox.kinds(ada.email)


def test_a_name_taken_just_before_the_change_is_refused_too(signed_in, ada, monkeypatch):
    original = User.rename

    def late(self, name, **trace):
        UserFactory(username=name)
        original(self, name, **trace)

    monkeypatch.setattr(User, "rename", late)

    page = signed_in.post("/account/username", {"username": "grace"})

    assert "grace2 is free" in words(page)


def test_the_same_name_again_changes_and_mails_nothing(mailbox, signed_in, ada):
    assert signed_in.post("/account/username", {"username": "ADA"}).url == "/account"

    assert "username_changed" not in mailbox.kinds(ada.email)


def test_trying_names_is_limited(signed_in):
    statuses = [signed_in.post("/account/username", {"username": "x"}).status_code for _ in range(21)]

    assert statuses == [200] * 20 + [429]
