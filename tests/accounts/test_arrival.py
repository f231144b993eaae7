"""What a session remembers of how its owner came in: the way, the second factor, and when all of it was last shown."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.session import arrival, sessions
from accounts.session.notes import AUTH_TIME, BEGAN, FACTOR, HANDLE, WAY
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.google import Person

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
PROVE, PROVE_DOOR = "/account/sessions/prolong", "/api/v1/auth/proof"


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def of(browser):
    return arrival.read(SimpleNamespace(session=browser.session))


def how(browser):
    return of(browser).way, of(browser).factor


def sign_in(browser=None, **code):
    browser = browser or Client()
    browser.post("/login", {"login": "ada", "password": PASSWORD})
    if code:
        browser.post("/login/code", code)
    return browser


def press_link(browser, mailbox):
    """Opens a mailed link in a browser, and presses its button."""
    MagicLink.objects.issue("ada@example.com")
    browser.post("/confirm", {"token": mailbox.link("ada@example.com", "/confirm").partition("token=")[2]})


def recovery_code(ada):
    return User.objects.get(pk=ada.pk).second_factor.recovery_codes[0]


# At sign-in


def test_a_password_alone_is_one_factor(ada):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        browser = sign_in()

    assert how(browser) == (sessions.PASSWORD, "")
    assert of(browser).at == int(now.timestamp())
    assert of(browser).handle == ada.sessions.get().handle
    assert not of(browser).has_code


def test_a_mailed_link_is_another_way(ada, mailbox):
    browser = Client()

    press_link(browser, mailbox)

    assert how(browser) == (sessions.LINK, "")


def test_google_is_another_way(ada, google):
    browser = Client()
    ada.google.adopt("7", "ada@gmail.com")
    google.person = Person(sub="7", email="ada@gmail.com")

    browser.get(google.consent(browser.post("/google").url))

    assert how(browser) == (sessions.GOOGLE, "")


def test_signing_up_is_another_way(db):
    link = LinkFactory(email="grace@example.com")
    browser = Client()

    browser.post("/signup", {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": "grace", "password": PASSWORD})

    assert how(browser) == (sessions.SIGNUP, "")


def test_nobody_has_come_before_they_sign_in(client):
    assert of(client) == ("", "", 0, "")


def test_no_code_is_remembered_of_a_sign_in_that_still_waits_for_it(ada):
    phone.pair(ada)
    browser = sign_in()

    browser.post("/login/code", {"code": phone.wrong()})

    assert of(browser) == ("", "", 0, "")


def test_a_code_of_the_app_is_remembered(ada):
    phone.pair(ada)

    browser = sign_in(code=phone.code())

    assert how(browser) == (sessions.PASSWORD, arrival.APP)
    assert of(browser).has_code


def test_a_recovery_code_is_remembered_as_one(ada):
    phone.pair(ada)

    browser = sign_in(code=recovery_code(ada))

    assert how(browser) == (sessions.PASSWORD, arrival.RECOVERY_CODE)
    assert of(browser).has_code


def test_programs_sign_in_by_the_same_rules(ada):
    phone.pair(ada)
    program = Client()

    program.post("/api/v1/auth/login", {"login": "ada", "password": PASSWORD}, "application/json")
    program.post("/api/v1/auth/login/code", {"code": phone.code()}, "application/json")

    assert how(program) == (sessions.PASSWORD, arrival.APP)


def test_a_trusted_browser_has_shown_no_code(ada):
    phone.pair(ada)
    browser = sign_in(code=phone.code(), trust="on")
    browser.post("/logout/here")

    sign_in(browser)

    assert how(browser) == (sessions.PASSWORD, arrival.TRUSTED_BROWSER)
    assert not of(browser).has_code


def test_trust_is_no_factor_once_two_step_verification_is_off(ada):
    phone.pair(ada)
    browser = sign_in(code=phone.code(), trust="on")
    browser.post("/logout/here")
    User.objects.get().second_factor.turn_off()

    sign_in(browser)

    assert how(browser) == (sessions.PASSWORD, "")


# Later


def test_a_proof_moves_the_time_and_nothing_else_does(ada):
    browser = sign_in()
    first = of(browser)
    with after(hours=1):
        browser.get("/account")
        browser.post("/account/settings", {"language": "en"})
        browser.post(PROVE, {"password": "wrong"})
        assert of(browser) == first

        browser.post(PROVE, {"password": PASSWORD})

        assert of(browser).shown_at == pytest.approx(first.shown_at + 3600, abs=60)
        assert of(browser)._replace(shown_at=0) == first._replace(shown_at=0)  # the handle stays as well


def test_half_a_proof_moves_nothing(ada):
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    first = of(browser)
    with after(hours=1):
        browser.post(PROVE_DOOR, {"password": PASSWORD}, "application/json")
        assert of(browser) == first

        browser.post(PROVE_DOOR, {"password": PASSWORD, "code": recovery_code(ada)}, "application/json")

        assert of(browser).factor == arrival.RECOVERY_CODE
        assert of(browser).at > first.at


def test_a_session_of_a_trusted_browser_takes_the_code_that_is_shown_later(ada):
    phone.pair(ada)
    browser = sign_in(code=phone.code(), trust="on")
    browser.post("/logout/here")
    sign_in(browser)

    browser.post(PROVE, {"password": PASSWORD, "code": phone.code(steps=1)})

    assert how(browser) == (sessions.PASSWORD, arrival.APP)


def test_another_sign_in_within_the_session_counts_as_the_newer_one(ada, mailbox):
    browser = sign_in()
    first = of(browser)
    with after(hours=1):
        press_link(browser, mailbox)

        assert how(browser) == (sessions.LINK, "")
        assert of(browser).at > first.at
        assert of(browser).handle == first.handle


def test_a_link_alone_neither_takes_the_code_away_nor_counts_as_both_factors(ada, mailbox):
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    first = of(browser)
    with after(hours=1):
        press_link(browser, mailbox)
        assert of(browser) == first

        browser.post(PROVE, {"code": phone.code()})  # the code alone, as the link was just pressed

        assert how(browser) == (sessions.LINK, arrival.APP)
        assert of(browser).at > first.at


def test_what_was_shown_outlives_a_new_password_under_another_handle(ada):
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    first = of(browser)
    with after(hours=1):
        sent = {"password": PASSWORD, "code": recovery_code(ada), "chosen": NEW}

        assert browser.post("/account/password", sent).status_code == 302

    assert of(browser).handle == ada.sessions.get().handle != first.handle
    assert (of(browser).way, of(browser).shown_at) == (first.way, first.shown_at)
    assert of(browser).factor == arrival.RECOVERY_CODE


def test_setting_up_an_app_shows_a_code_of_it(ada):
    browser = sign_in()
    browser.get("/account/second-factor/app")
    key = browser.get("/account/second-factor/app").context["key"].replace(" ", "")

    answer = browser.post("/account/second-factor/app", {"code": phone.code(key), "password": PASSWORD})

    assert answer.status_code == 302
    assert how(browser) == (sessions.PASSWORD, arrival.APP)


def test_another_account_in_the_browser_begins_with_nothing(ada):
    other = UserFactory(username="grace", email="grace@example.com")
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    link = LinkFactory(email=other.email, epoch=0)

    browser.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})

    assert how(browser) == (sessions.LINK, "")
    assert of(browser).handle == other.sessions.get().handle


def test_an_older_session_was_shown_when_it_began(ada):
    browser = sign_in()
    held = browser.session
    for name in (WAY, FACTOR, AUTH_TIME):
        del held[name]
    held.save()

    assert of(browser) == ("", "", held[BEGAN], held[HANDLE])
