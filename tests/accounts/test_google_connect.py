"""Connecting a Google account on the account page, and disconnecting it."""

from dataclasses import replace

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts import limits
from accounts.models import User
from invites.models import MagicLink
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

CONNECT, OFF = "/account/google", "/account/google/off"
GRACE = Person(sub="2001", email="grace@gmail.com")


@pytest.fixture(autouse=True)
def grace_at_google(google):
    google.person = GRACE


def begin(client, google):
    """Has a signed-in user consent at Google. Returns the path by which Google sends them back."""
    return google.consent(client.post(CONNECT, {"password": PASSWORD}).url)


def connect(client, google):
    return client.get(begin(client, google), follow=True)


def test_the_password_connects_google_and_the_owner_is_told(signed_in, google, mailbox, ada):
    for typed in ({}, {"password": "wrong password"}):
        assert signed_in.post(CONNECT, typed).status_code == 200
    assert google.visits == []

    page = connect(signed_in, google)

    assert google.visits[0].query["login_hint"] == "ada@example.com"
    assert page.redirect_chain[-1][0] == "/account"
    assert "Google is connected." in words(page)
    assert SocialAccount.objects.values_list("user", "uid").get() == (ada.pk, "2001")
    assert mailbox.kinds("ada@example.com").count("google_connected") == 1


def test_coming_back_from_google_twice_is_mailed_once(signed_in, google, mailbox):
    first, second = begin(signed_in, google), begin(signed_in, google)
    signed_in.get(first)

    page = signed_in.get(second, follow=True)

    assert "Google is connected." in words(page)
    assert SocialAccount.objects.count() == 1
    assert mailbox.kinds("ada@example.com").count("google_connected") == 1


def test_an_account_has_one_google_account(signed_in, google):
    late = begin(signed_in, google)
    google.person = Person(sub="2002", email="ada@gmail.com")
    connect(signed_in, google)

    assert signed_in.get(CONNECT).url == OFF
    assert signed_in.post(CONNECT, {"password": PASSWORD}).url == OFF
    page = signed_in.get(late, follow=True)

    assert "Nothing has changed." in words(page)
    assert SocialAccount.objects.get().uid == "2002"


def test_a_google_account_signs_in_to_one_account(signed_in, google):
    UserFactory(username="grace").google.adopt("2001", "grace@gmail.com")

    page = connect(signed_in, google)

    assert "That Google account is connected to another account here. Nothing has changed." in words(page)
    assert "Google is connected." not in words(page)
    assert SocialAccount.objects.get().user.username == "grace"


def test_a_new_password_ends_connecting_that_was_under_way(signed_in, google):
    path = begin(signed_in, google)
    signed_in.post("/account/password", {"password": PASSWORD, "chosen": "another horse battery staple"})

    signed_in.get(path)

    assert not SocialAccount.objects.exists()


def test_cancelling_at_google_leads_back_to_the_account_with_a_message(signed_in, ada, google):
    location = signed_in.post(CONNECT, {"password": PASSWORD}).url

    page = signed_in.get(google.cancel(location), follow=True)

    assert page.redirect_chain == [("/account", 302)]
    assert "Google was not connected. Nothing has changed." in words(page)
    assert ada.google.account is None


def test_google_is_not_connected_if_all_sessions_end_meanwhile(signed_in, google, monkeypatch):
    path = begin(signed_in, google)
    original = User.lock_or_raise

    def late(self):
        User.objects.get(pk=self.pk).end_sessions()
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)

    assert signed_in.get(path).url.startswith("/login")
    assert not SocialAccount.objects.exists()


def test_connecting_is_limited(signed_in, google, monkeypatch):
    monkeypatch.setattr("accounts.limits.PASSWORD_PER_USER", replace(limits.PASSWORD_PER_USER, most=100))
    for _ in range(20):
        assert signed_in.post(CONNECT, {"password": PASSWORD}).status_code == 302

    assert signed_in.post(CONNECT, {"password": PASSWORD}).status_code == 429


def test_without_google_there_is_nothing_to_connect(signed_in, settings):
    settings.GOOGLE_CLIENT_ID = ""

    assert signed_in.get(CONNECT).status_code == 404
    assert signed_in.post(CONNECT, {"password": PASSWORD}).status_code == 404
    assert signed_in.get(OFF).url == "/account"


def test_the_password_disconnects_google_and_the_owner_is_told(signed_in, google, mailbox):
    connect(signed_in, google)
    for typed in ({}, {"password": "wrong password"}):
        assert signed_in.post(OFF, typed).status_code == 200
    assert SocialAccount.objects.exists()

    page = signed_in.post(OFF, {"password": PASSWORD}, follow=True)

    assert "Google is disconnected." in words(page)
    assert not SocialAccount.objects.exists()
    assert mailbox.kinds("ada@example.com")[-1] == "google_disconnected"
    assert "grace@gmail.com" in mailbox.text("ada@example.com")
    assert signed_in.post(OFF, {"password": PASSWORD}).url == CONNECT
    assert mailbox.kinds("ada@example.com").count("google_disconnected") == 1


def test_disconnecting_google_where_it_is_not_connected_mails_nothing(ada, mailbox):
    ada.google.disconnect()

    assert mailbox.letters() == []
    assert not ada.events.filter(kind="google_disconnected").exists()


def test_google_stays_connected_while_it_is_the_last_way_in(mailbox, google):
    ada = UserFactory(username="ada", email="ada@example.com", password=None)
    ada.google.adopt("2001", "grace@gmail.com")
    client = Client()
    MagicLink.objects.issue("ada@example.com")
    client.post("/confirm", {"token": mailbox.link("ada@example.com", "/confirm").partition("token=")[2]})

    page = client.post(OFF, {})

    assert "Choose a password first" in words(page)
    assert SocialAccount.objects.exists()


def test_google_stays_connected_if_the_password_is_removed_meanwhile(signed_in, google, monkeypatch):
    connect(signed_in, google)
    original = User.lock_or_raise

    def late(self):
        User.objects.filter(pk=self.pk).update(password="!")
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)

    page = signed_in.post(OFF, {"password": PASSWORD})

    assert page.url == OFF
    assert SocialAccount.objects.exists()


def test_not_me_takes_away_the_google_account_of_a_thief(signed_in, google, mailbox):
    connect(signed_in, google)
    token = mailbox.link("ada@example.com", "/not-me").partition("token=")[2]

    Client().post("/not-me", {"token": token})

    assert not SocialAccount.objects.exists()
    thief = Client()
    thief.get(google.consent(thief.post("/google").url))
    assert not SocialAccount.objects.filter(user__username="ada").exists()


def test_the_next_sign_in_does_not_connect_google_that_was_disconnected(client, google, mailbox):
    UserFactory(username="grace", email="grace@navy.example")
    google.person = Person(sub="2001", email="grace@navy.example")
    client.get(google.consent(client.post("/google").url))

    client.post("/login", {"login": "grace", "password": PASSWORD})
    client.post(OFF, {"password": PASSWORD})
    MagicLink.objects.issue("grace@navy.example")
    client.post("/confirm", {"token": mailbox.link("grace@navy.example", "/confirm").partition("token=")[2]})

    assert not SocialAccount.objects.exists()
