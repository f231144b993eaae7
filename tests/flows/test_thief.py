"""A thief has Ada's password, or her mailbox: what she does shuts every way in, and she herself comes in."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import User
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW, NEWER = "another horse battery staple", "yet another horse battery staple"
ELSEWHERE = "mallory@thief.example"
THIEFS = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"  # the secret of a thief's own app


@pytest.fixture(autouse=True)
def unlimited(settings):
    settings.RATELIMIT_ENABLE = False


def token_of(link):
    return link.partition("token=")[2]


def is_ada(client):
    ada = User.objects.get(username="ada")
    return client.session.get(SESSION_KEY) == str(ada.pk) and client.get("/account").status_code == 200


def enter(client, password=PASSWORD, code="", **typed):
    """Signs in as Ada, with `code` if there is one. Returns the client."""
    client.post("/login", {"login": "ada", "password": password})
    if code:
        client.post("/login/code", {"code": code, **typed})
    return client


def with_cookies(client, *names):
    """Returns a new browser with these cookies of `client`."""
    other = Client()
    for name in names or client.cookies:
        other.cookies[name] = client.cookies[name].value
    return other


# The break-in


class Thief:
    """Somebody who signs in with Ada's password, and makes himself at home.

    Either he sets up an authenticator app of his own, or he has got a code of Ada's and her recovery codes.
    """

    def __init__(self, mailbox, google, ada, *, own_app):
        google.person = Person(sub="666", email="mallory@gmail.com")
        self.google, self.mailbox = google, mailbox
        self.browser = enter(Client(), code="" if own_app else phone.code())
        self.first_mail = mailbox.link(ada.email, "/not-me")
        proof = {"password": PASSWORD} if own_app else {"password": PASSWORD, "code": phone.code(steps=1)}
        to_google = self.browser.post("/account/google", proof).url
        self.browser.get(google.consent(to_google))
        if own_app:
            phone.pair(User.objects.get(pk=ada.pk), THIEFS)
            self.mail_about_app = mailbox.link(ada.email, "/not-me")
        self.codes = User.objects.get(pk=ada.pk).second_factor.recovery_codes
        self.trusted = enter(Client(), code=self.codes.pop(), trust="on")
        self.browser = with_cookies(self.trusted)
        self.browser.post("/account/email", {"email": ELSEWHERE, "password": PASSWORD, "code": self.codes.pop()})
        self.code = re.search(r"^ {4}(\d{4} \d{4})$", mailbox.text(ELSEWHERE), re.MULTILINE)[1]
        self.waiting = enter(Client())  # for its code
        self.program = Program()
        self.program.sign_in("ada", PASSWORD)
        self.program.send("/api/v1/auth/login/code", code=self.codes.pop())
        self.underway = Client()
        self.way_back = google.consent(self.underway.post("/google").url)
        Client().post("/", {"email": ada.email})
        self.link = mailbox.link(ada.email, "/confirm")
        Client().post("/reset", {"email": ada.email})
        self.reset = mailbox.link(ada.email, "/reset/password")

    def by_reset(self):  # the first to be tried: the next sign-in ends it
        return Client().get(self.reset).status_code == 200

    def by_google(self):
        client = with_cookies(self.trusted, "frontdoor_trusted", "frontdoor_device")
        client.get(self.google.consent(client.post("/google").url))
        return is_ada(client)

    def by_google_that_was_under_way(self):
        self.underway.get(self.way_back)
        return waits(self.underway)

    def by_old_session(self):
        return is_ada(self.browser)

    def by_proxy(self):
        return self.browser.get("/auth/verify").status_code == 204

    def by_json(self):
        return self.program.get("/api/v1/account").status_code == 200

    def by_trusted_browser(self):
        return is_ada(enter(with_cookies(self.trusted, "frontdoor_trusted", "frontdoor_device")))

    def by_second_step(self):
        self.waiting.post("/login/code", {"code": self.codes.pop()})
        return is_ada(self.waiting)

    def by_link(self):
        return Client().get(self.link).status_code == 200

    def by_address(self):
        self.browser.post("/account/email/code", {"code": self.code})
        return User.objects.get(username="ada").email == ELSEWHERE

    def ways_in(self):
        """Tries every way. Returns the names of those that are open."""
        names = [name for name in vars(type(self)) if name.startswith("by_")]
        return [name for name in names if getattr(self, name)()]


def waits(client):
    return client.get("/login/code").status_code == 200


APPS = pytest.mark.parametrize("own_app", [True, False], ids=["the thief's app", "her app"])


@pytest.fixture
def break_in(mailbox, google, ada):
    def break_in(*, own_app):
        if not own_app:
            phone.pair(ada)
        return Thief(mailbox, google, ada, own_app=own_app)

    return break_in


@APPS
def test_a_thief_has_many_ways_in_until_the_owner_acts(break_in, own_app):
    thief = break_in(own_app=own_app)

    assert len(thief.ways_in()) == 10


# What the owner does


def a_code_of(ada):
    """Returns one of the recovery codes that Ada has now; "" if she has none."""
    return next(iter(User.objects.get(pk=ada.pk).second_factor.recovery_codes), "")


def choose(mailbox, ada, password=NEW):
    link = mailbox.link(ada.email, "/reset/password")
    assert Client().post("/reset/password", {"token": token_of(link), "password": password}).url == "/login"


def reset_by_page(thief, mailbox, ada):
    Client().post("/reset", {"email": ada.email})
    choose(mailbox, ada)


def reset_in_json(thief, mailbox, ada):
    Program().send("/api/v1/auth/reset", email=ada.email)
    token = token_of(mailbox.link(ada.email, "/reset/password"))
    assert Program().send("/api/v1/auth/reset/password", token=token, password=NEW).status_code == 200


def say_it_was_not_me(thief, mailbox, ada):
    assert Client().post("/not-me", {"token": token_of(thief.first_mail)}).status_code == 200
    assert thief.ways_in() == []
    choose(mailbox, ada)


def change_by_page(thief, mailbox, ada):
    owner = enter(Client(), code=a_code_of(ada))
    form = {"password": PASSWORD, "code": a_code_of(ada), "chosen": NEW}
    assert owner.post("/account/password", form).url == "/account"
    assert is_ada(owner)


def change_in_json(thief, mailbox, ada):
    owner = Program()
    owner.sign_in("ada", PASSWORD)
    if code := a_code_of(ada):
        owner.send("/api/v1/auth/login/code", code=code)
    sent = {"password": PASSWORD, "code": a_code_of(ada), "new_password": NEW}
    answer = owner.send("/api/v1/account/password", "PUT", **sent)
    assert answer.status_code == 200


RESETS, CHANGES = [reset_by_page, reset_in_json], [change_by_page, change_in_json]


@pytest.mark.parametrize("act", [*RESETS, say_it_was_not_me, *CHANGES])
def test_a_thief_who_had_a_code_of_the_owner_finds_every_way_shut(break_in, mailbox, ada, act):
    thief = break_in(own_app=False)

    act(thief, mailbox, ada)

    assert thief.ways_in() == []
    assert waits(enter(with_cookies(thief.trusted, "frontdoor_trusted", "frontdoor_device"), NEW)), (
        "the browser is trusted no more"
    )
    assert not is_ada(enter(Client(), NEW)), "her own second factor stays on"
    assert is_ada(enter(Client(), NEW, code=a_code_of(ada)))


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_the_google_account_of_a_thief_opens_nothing_where_no_code_is_asked_for(google, mailbox, ada, act):
    google.person = Person(sub="666", email="mallory@gmail.com")
    ada.google.adopt("666", "mallory@gmail.com")

    act(None, mailbox, ada)

    thief = Client()
    thief.get(google.consent(thief.post("/google").url))
    assert not is_ada(thief)
    assert is_ada(enter(Client(), NEW))


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_a_google_account_of_the_owners_own_address_is_connected_again_by_using_it(google, mailbox, act):
    ada = UserFactory(username="ada", email="ada@gmail.com")
    google.person = Person(sub="1", email="ada@gmail.com")
    ada.google.adopt("1", "ada@gmail.com")

    act(None, mailbox, ada)

    assert ada.google.account is None
    owner = Client()
    owner.get(google.consent(owner.post("/google").url))
    assert is_ada(owner)
    assert ada.google.account.uid == "1"


@pytest.mark.parametrize("act", RESETS)
def test_an_app_that_a_thief_has_set_up_goes_with_the_mail_about_it(break_in, mailbox, ada, act):
    """A reset leaves it on: whoever has the mailbox alone must not be able to turn two-step verification off."""
    thief = break_in(own_app=True)

    act(thief, mailbox, ada)

    assert thief.ways_in() == []
    owner = enter(Client(), NEW)
    assert "You never set up an app?" in words(owner.get("/login/code"))
    assert Client().post("/not-me", {"token": token_of(thief.mail_about_app)}).status_code == 200
    choose(mailbox, ada, NEWER)
    assert thief.ways_in() == []
    assert is_ada(enter(Client(), NEWER))


def test_this_was_not_me_shuts_every_way_and_removes_the_app_of_the_thief(break_in, mailbox, ada):
    thief = break_in(own_app=True)

    say_it_was_not_me(thief, mailbox, ada)

    assert thief.ways_in() == []
    assert is_ada(enter(Client(), NEW))


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_the_mail_and_the_history_name_what_was_dropped(break_in, mailbox, ada, act):
    thief = break_in(own_app=False)

    act(thief, mailbox, ada)

    said = " ".join(mailbox.text(ada.email).split())
    assert "The Google account mallory@gmail.com is disconnected." in said
    assert "a change of address that was waiting for its code" in said
    assert "Every browser is asked for a code again." in said
    assert "Two-step verification stays on." in said
    assert list(ada.events.order_by("-id").values_list("kind", flat=True)[:2]) == [
        "password_changed",
        "google_disconnected",
    ]
    assert ada.events.get(kind="google_disconnected").detail == {"google": "mallory@gmail.com"}


def test_a_report_names_what_was_dropped(break_in, mailbox, ada):
    thief = break_in(own_app=False)

    page = Client().post("/not-me", {"token": token_of(thief.first_mail)})

    assert "The Google account mallory@gmail.com is disconnected." in words(page)
    assert "Google accounts are disconnected, and earlier browsers, links and codes no longer work" in " ".join(
        mailbox.text(ada.email).split()
    )
    assert ada.events.filter(kind="google_disconnected").count() == 1


def test_a_new_password_without_anything_to_drop_names_nothing(mailbox, signed_in, ada):
    signed_in.post("/account/password", {"password": PASSWORD, "chosen": NEW})

    said = mailbox.text(ada.email)
    assert "Google" not in said
    assert "Two-step" not in said
    assert not ada.events.filter(kind="google_disconnected").exists()


# A thief who reads the mailbox, and knows no password


@pytest.mark.parametrize("act", RESETS)
def test_whoever_has_the_mailbox_alone_is_asked_for_the_owners_code(mailbox, ada, act):
    phone.pair(ada)
    thief = Client()

    act(None, mailbox, ada)

    assert waits(enter(thief, NEW))
    assert not is_ada(thief)
    Client().post("/", {"email": ada.email})
    thief = Client()
    assert thief.post("/confirm", {"token": token_of(mailbox.link(ada.email, "/confirm"))}).url == "/login/code"
    assert User.objects.get(pk=ada.pk).second_factor.is_on
    assert is_ada(enter(Client(), NEW, code=phone.code()))
