"""Sign-in has one road: by whichever way a person signs in, the session begins in one place and is recorded once."""

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import Event, Session, User
from accounts.session import sessions
from accounts.session.notes import BEGAN, DEADLINE, GOOGLE_IDENTITY, HANDLE, SECOND_FACTOR
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes
from tests.tools.reading import words

pytestmark = pytest.mark.django_db(transaction=True)


def password(browser, ada, google):
    return browser.post("/login", {"login": "ada", "password": PASSWORD})


def link(browser, ada, google):
    mailed = LinkFactory(email=ada.email, epoch=ada.session_epoch)
    return browser.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, mailed.pk)})


def by_google(browser, ada, google):
    ada.google.adopt("7", "ada@gmail.com")
    google.person = Person(sub="7", email="ada@gmail.com")
    return browser.get(google.consent(browser.post("/google").url))


WAYS = {"password": password, "link": link, "google": by_google}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_is_stamped_once(ada, google, way):
    browser = Client()

    answer = WAYS[way](browser, ada, google)

    assert answer.url == "/account"
    event = Event.objects.get(kind=Event.Kind.SIGNED_IN)
    assert event.detail == {"told": ada.email, "way": way}
    row, session = Session.objects.get(user=ada), browser.session
    assert session[DEADLINE] - session[BEGAN] == settings.SESSION_COOKIE_AGE
    assert row.handle == session[HANDLE]
    assert User.objects.get().last_login == pytest.approx(event.at, abs=timedelta(seconds=1))


def test_a_login_by_code_of_a_library_is_stamped_too(ada):
    browser = Client()

    browser.force_login(ada)

    assert browser.get("/account").status_code == 200
    assert Event.objects.filter(kind=Event.Kind.SIGNED_IN).count() == 1
    assert Session.objects.get(user=ada).handle == browser.session[HANDLE] != ""
    assert browser.session[DEADLINE] > browser.session[BEGAN]


def late(monkeypatch, change):
    """Has `change` happen to Ada's account after the first factor and before the session begins."""
    original = sessions.login

    def login(*args, **kwargs):
        change(User.objects.get(username="ada"))
        return original(*args, **kwargs)

    monkeypatch.setattr(sessions, "login", login)


MEANWHILE = {
    "signed out": User.end_sessions,
    "deleted": User.delete,
    "turned off": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
}


@pytest.mark.parametrize("happened", MEANWHILE)
@pytest.mark.parametrize("way", WAYS)
def test_a_sign_in_fails_if_the_account_is_closed_or_signed_out_meanwhile(ada, google, monkeypatch, way, happened):
    late(monkeypatch, MEANWHILE[happened])
    browser = Client()

    answer = WAYS[way](browser, ada, google)

    assert answer.url.startswith("/login")
    assert browser.get("/account").status_code == 302
    assert not Session.objects.filter(user__isnull=False).exists()
    assert not Event.objects.filter(kind=Event.Kind.SIGNED_IN).exists()
    assert "device" not in browser.cookies


def test_a_program_whose_sign_in_is_overtaken_is_answered_with_signed_out(ada, monkeypatch):
    late(monkeypatch, User.end_sessions)

    answer = Program().sign_in("ada", PASSWORD)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])


def test_signing_in_again_keeps_the_session_under_a_new_id(ada, google):
    browser = Client()
    password(browser, ada, google)
    key, handle = browser.session.session_key, browser.session[HANDLE]

    link(browser, ada, google)

    assert browser.session[HANDLE] == handle
    assert browser.session.session_key != key
    assert Session.objects.count() == 1
    assert Event.objects.filter(kind=Event.Kind.SIGNED_IN).count() == 2


def test_a_session_that_is_ended_while_the_same_person_proves_again_stays_ended(ada, google, monkeypatch):
    browser = Client()
    password(browser, ada, google)
    handle = browser.session[HANDLE]
    original = sessions.enter

    def late(*args, **kwargs):
        Session.objects.get(handle=handle).end()
        return original(*args, **kwargs)

    monkeypatch.setattr(sessions, "enter", late)

    assert link(browser, ada, google).url == "/login"
    assert not Session.objects.filter(handle=handle).exists()


def test_turning_two_steps_on_elsewhere_meanwhile_asks_for_a_code_here(ada, google, monkeypatch):
    """The session was valid when this request began; turning it on has ended all sessions since."""
    browser = Client()
    password(browser, ada, google)
    original = sessions.start

    def late(request, account, *args):
        assert request.user == account
        phone.pair(User.objects.get(pk=ada.pk))
        account.refresh_from_db()
        return original(request, account, *args)

    monkeypatch.setattr(sessions, "start", late)

    assert link(browser, ada, google).url == "/login/code"
    assert browser.get("/account").status_code == 302


def test_signing_in_as_somebody_else_begins_a_session_of_its_own(ada, google):
    browser, grace = Client(), UserFactory(username="grace")
    browser.force_login(grace)
    handle = browser.session[HANDLE]

    link(browser, ada, google)

    assert Session.objects.get(user__isnull=False).user == ada
    assert browser.session[HANDLE] != handle


def test_signing_in_without_a_code_ends_the_wait_for_one(ada, google):
    phone.pair(UserFactory(username="grace"))
    browser = Client()
    browser.post("/login", {"login": "grace", "password": PASSWORD})
    assert SECOND_FACTOR.key in browser.session

    password(browser, ada, google)

    assert SECOND_FACTOR.key not in browser.session
    assert browser.session[SESSION_KEY] == str(ada.pk)


def test_the_owner_of_a_turned_off_account_is_told_so_after_google(ada, google):
    ada.turn_off()

    answer = by_google(Client(), ada, google)

    assert answer.status_code == 403
    assert "turned off" in words(answer)


@pytest.mark.parametrize("to_connect", [True, False])
def test_a_noted_google_account_is_connected_only_if_it_was_meant_to_be(ada, google, to_connect):
    browser = Client()
    seen = {"uid": "7", "email": ada.email, "to_connect": to_connect, "until": time.time() + 60}
    session = browser.session
    session[GOOGLE_IDENTITY.key] = seen
    session.save()

    password(browser, ada, google)

    assert (ada.google.account is not None) is to_connect
    assert GOOGLE_IDENTITY.key not in browser.session


def test_the_press_that_makes_an_account_is_its_first_sign_in(mailbox):
    MagicLink.objects.issue("grace@example.com")
    token = mailbox.link("grace@example.com", "/signup").partition("token=")[2]

    Client().post("/signup", {"token": token, "username": "grace", "password": PASSWORD})

    grace = User.objects.get()
    events = list(grace.events.order_by("id"))
    assert [event.kind for event in events] == ["created", "signed_in"]
    assert events[1].detail == {"told": "grace@example.com", "way": "signup"}
    assert grace.last_login == pytest.approx(events[1].at, abs=timedelta(seconds=1))
    assert mailbox.kinds("grace@example.com") == ["link_new"]


def test_confirming_a_planned_account_is_no_sign_in(mailbox):
    browser = Client()
    browser.post("/signup", {"email": "grace@example.com", "username": "grace", "password": PASSWORD})
    browser.post("/confirm", {"token": mailbox.link("grace@example.com", "/confirm").partition("token=")[2]})

    grace = User.objects.get()
    assert grace.last_login is None
    assert [event.kind for event in grace.events.all()] == ["created"]
