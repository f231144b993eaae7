"""A new password through allauth.headless's protocol: the promises of the page hold at these doors too."""

import pytest
from django.test import Client

from accounts.models import Event, User
from invites.models import Invite, MagicLink
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.headless import ask, said

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
REQUEST, RESET = "auth/password/request", "auth/password/reset"


@pytest.fixture
def key(mailbox, ada):
    assert ask(Client(), "POST", REQUEST, {"email": ada.email}).status_code == 200
    return mailbox.link(ada.email, "/reset/password").partition("token=")[2]


def choose(client, key, password=NEW):
    return ask(client, "POST", RESET, {"key": key, "password": password})


def look(client, key):
    return ask(client, "GET", RESET, X_Password_Reset_Key=key)


def test_the_token_of_the_mailed_link_lets_choose_a_password_once(mailbox, ada, signed_in, key):
    client = Client()
    for _ in range(3):
        assert look(client, key).json()["data"]["user"]["email"] == ada.email

    answer = choose(client, key)

    assert answer.status_code == 401
    assert answer.json()["meta"]["is_authenticated"] is False
    assert signed_in.get("/account").status_code == 302
    assert ada.events.filter(kind=Event.Kind.PASSWORD_CHANGED).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "password_changed"
    assert choose(client, key).status_code == 401  # pressed twice
    assert said(choose(Client(), key, "yet another long password")) == [("invalid_password_reset", "key")]
    assert said(look(Client(), key)) == [("invalid_password_reset", "key")]
    assert User.objects.get().check_password(NEW)


def test_a_stranger_gets_the_same_answer_for_every_address(ada, mailbox, hashes):
    UserFactory(email="idle@example.com", is_active=False)
    UserFactory(email="google@example.com", password=None)
    Invite.objects.issue("invited@example.com", source="admin")
    hashes.clear()
    answers, mails = [], []
    for email in ("new@example.com", ada.email, "idle@example.com", "google@example.com", "invited@example.com"):
        client, before = Client(), len(mailbox.letters(email))
        answer = ask(client, "POST", REQUEST, {"email": email})
        answers.append((answer.status_code, answer.content, sorted(client.cookies), sorted(answer.headers)))
        mails.append(len(mailbox.letters(email)) - before)

    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 200
    assert set(mails) == {1}
    assert hashes == []


def test_a_link_asked_for_at_the_page_counts_here(mailbox, ada):
    Client().post("/reset", {"email": ada.email})

    answer = ask(Client(), "POST", REQUEST, {"email": "ADA@example.com"})

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert said(answer) == [("limited", None)]
    assert mailbox.kinds(ada.email) == ["reset"]


def test_a_bad_password_is_explained_and_the_link_goes_on_working(client, ada, key):
    for password in ("", "short", "ada@example.com"):
        answer = choose(client, key, password)

        assert answer.status_code == 400
        assert {about for _code, about in said(answer)} == {"password"}
    assert User.objects.get().check_password(PASSWORD)
    assert choose(client, key).status_code == 401


@pytest.mark.parametrize("why", ["broken", "expired", "moved", "signed out", "off", "overtaken"])
def test_a_link_that_is_over_changes_nothing(client, ada, key, why, monkeypatch):
    if why == "broken":
        key = f"{key}x"
    elif why == "expired":
        MagicLink.objects.update(expires_at="2020-01-01T00:00Z")
    elif why == "moved":
        ada.change_email("ada@elsewhere.example")
    elif why == "signed out":
        ada.end_sessions()
    elif why == "off":
        User.objects.update(is_active=False)
    else:
        original = User.hold
        monkeypatch.setattr(User, "hold", lambda self: (User.objects.get(pk=self.pk).end_sessions(), original(self))[1])

    answer = choose(client, key)

    assert answer.status_code == (403 if why == "off" else 400)
    assert said(answer) == [("inactive", None) if why == "off" else ("invalid_password_reset", "key")]
    assert User.objects.get().check_password(PASSWORD)


def test_guessed_keys_are_counted_with_those_of_the_page(db):
    for _ in range(30):
        Client().post("/reset/password", {"token": "x"})

    assert choose(Client(), "x").status_code == 429
