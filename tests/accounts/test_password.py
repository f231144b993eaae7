"""Changing the password, and setting the first one."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.models.ways_in import WaysIn
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"


def change(client, **typed):
    return client.post("/account/password", {"password": PASSWORD, "chosen": NEW} | typed)


def come_by_link(mailbox, user):
    client = Client()
    MagicLink.objects.issue(user.email)
    client.post("/confirm", {"token": mailbox.link(user.email, "/confirm").partition("token=")[2]})
    return client


def test_a_new_password_works_ends_every_other_session_and_is_told(mailbox, signed_in, ada):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    old_key = signed_in.cookies["frontdoor_session"].value

    page = signed_in.post("/account/password", {"password": PASSWORD, "chosen": NEW}, follow=True)

    assert page.redirect_chain == [("/account", 302)]
    assert "Password changed. You’re signed out on all other devices." in words(page)
    assert re.search(r"Changed on \w+ \d+", words(page))
    assert signed_in.cookies["frontdoor_session"].value != old_key
    assert other.get("/account").status_code == 302
    assert Client().post("/login", {"login": "ada", "password": PASSWORD}).status_code == 200
    assert Client().post("/login", {"login": "ada", "password": NEW}).status_code == 302
    assert mailbox.kinds(ada.email).count("password_changed") == 1


def test_the_session_that_goes_on_still_ends_after_its_twelve_hours(signed_in, ada):
    before = ada.sessions.get().expire_date

    change(signed_in)

    assert ada.sessions.get().expire_date == before


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"password": "wrong password"}, "Password is not correct"),
        ({"password": ""}, "Enter your password"),
        ({"chosen": ""}, "Enter a password"),
        ({"chosen": "short"}, "15 characters or more"),
        ({"chosen": "passwordpassword"}, "lists attackers try first"),
        ({"chosen": "ada@example.com"}, "must not contain your username or email address"),
    ],
)
def test_a_refused_form_says_why_and_changes_nothing(signed_in, ada, typed, said):
    page = change(signed_in, **typed)

    assert page.status_code == 200
    assert said in words(page)
    assert NEW not in page.text
    assert PASSWORD not in page.text
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_guesses_at_an_open_laptop_are_limited(signed_in):
    for _ in range(10):
        assert change(signed_in, password="wrong password").status_code == 200

    assert change(signed_in).status_code == 429


def test_coming_in_by_link_stands_for_the_password_once(mailbox, ada):
    client = come_by_link(mailbox, ada)
    assert "Your password" not in words(client.get("/account/password"))

    assert client.post("/account/password", {"chosen": NEW}).url == "/account"

    assert User.objects.get(pk=ada.pk).check_password(NEW)
    assert "Your password" in words(client.get("/account/password"))


def test_coming_in_by_link_stands_for_the_password_for_15_minutes(mailbox, ada):
    client = come_by_link(mailbox, ada)

    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        assert "Your password" not in words(client.get("/account/password"))
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert "Your password" in words(client.get("/account/password"))
        client.post("/account/password", {"chosen": NEW})
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_the_link_for_proof_goes_to_the_accounts_own_address(mailbox, signed_in, ada):
    signed_in.post("/account/prove", {"email": "eve@example.com", "next": "/account/password"})

    assert mailbox.kinds("eve@example.com") == []
    assert mailbox.kinds(ada.email)[-1] == "link_proof"


def test_the_first_password_needs_a_link_if_one_came_in_long_ago(mailbox):
    grace = UserFactory(username="grace", email="grace@example.com", password=None)
    client = Client()
    client.force_login(grace)
    page = client.get("/account/password")
    assert "Your account has no password" in words(page)
    assert 'name="chosen"' not in page.text
    assert client.post("/account/password", {"chosen": NEW}).status_code == 200
    assert not User.objects.get(pk=grace.pk).has_usable_password()

    client.post("/account/prove", {"next": "/account/password"})
    link = mailbox.link(grace.email, "/confirm")
    back = client.post("/confirm", {"token": link.partition("token=")[2]})
    assert back.url == "/account/password"
    assert client.post("/account/password", {"chosen": NEW}).url == "/account"
    assert User.objects.get(pk=grace.pk).check_password(NEW)


def test_password_managers_are_led_to_the_page(client):
    assert client.get("/.well-known/change-password").url == "/account/password"
    assert (
        client.get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").status_code == 404
    )


def test_the_password_is_shown_only_when_asked(signed_in):
    assert 'type="text" name="chosen"' not in signed_in.get("/account/password").text
    assert 'type="text" name="chosen"' in signed_in.get("/account/password?show=1").text


def test_links_mailed_before_a_new_password_stop_working(mailbox, signed_in, ada):
    MagicLink.objects.issue(ada.email)
    old = mailbox.link(ada.email, "/confirm")

    change(signed_in)

    assert Client().get(old).status_code == 410


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/password", {"password": PASSWORD, "chosen": NEW}),
        ("/account/username", {"username": "thief"}),
        ("/account/delete", {"when": "now", "password": PASSWORD}),
    ],
)
def test_a_form_sent_while_all_sessions_end_changes_nothing(signed_in, ada, monkeypatch, path, form):
    original = User.lock_or_raise

    def late(self):
        User.objects.get(pk=self.pk).end_sessions()
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)
    page = signed_in.post(path, form, follow=True)

    assert page.redirect_chain[0][0] == f"/login?next={path}"
    assert "Your session had ended, so nothing was changed" in words(page)
    now = User.objects.get(pk=ada.pk)
    assert (now.username, now.password) == (ada.username, ada.password)


@pytest.mark.django_db(transaction=True)
def test_an_account_deleted_while_its_password_changes_gets_a_clear_page(signed_in, ada, monkeypatch):
    original = WaysIn.change_password

    def then_gone(self, **given):
        original(self, **given)
        User.objects.filter(pk=self.user.pk).delete()

    monkeypatch.setattr(WaysIn, "change_password", then_gone)

    assert change(signed_in).status_code == 400
    assert signed_in.get("/account").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_an_account_deleted_while_it_signs_in_causes_no_500(client, ada, monkeypatch):
    original = User.check_password

    def then_gone(self, password):
        right = original(self, password)
        User.objects.filter(pk=self.pk).delete()
        return right

    monkeypatch.setattr(User, "check_password", then_gone)

    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        *("password", "email", "delete", "google", "google/off"),
        *("second-factor/app", "second-factor/off", "second-factor/codes"),
    ],
)
def test_the_page_says_above_the_form_that_no_password_is_needed(mailbox, ada, path):
    if path == "google/off":
        ada.google.adopt("7", "ada@gmail.com")
    if path.startswith("second-factor"):
        phone.pair(ada)
    client = come_by_link(mailbox, ada)
    client.post("/login/code", {"code": phone.code()})

    main = client.get(f"/account/{path}").text.partition("<main")[2]

    assert 0 < main.find("You’ve shown that it’s you") < main.index("<form")
    assert main.count("You’ve shown that it’s you") == 1
    assert "Forgot your password?" not in main
