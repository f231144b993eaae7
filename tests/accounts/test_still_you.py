"""The page that asks somebody who is signed in whether it is still them, and then leads on."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.models import Event, User
from accounts.session import arrival, sessions
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

PAGE, GOOGLE = "/login/again", "/login/again/google"
NEXT = "/apps/7?tab=a%26b"
LONG = "/authorize?state=" + "s%2C" * 621
QUESTION = "Is it still you?"
AWAY = ["//evil.example", "https://evil.example/", "/\\evil.example", "/" + "a" * 3000]


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def of(browser):
    return arrival.read(SimpleNamespace(session=browser.session))


def sign_in(**code):
    browser = Client()
    browser.post("/login", {"login": "ada", "password": PASSWORD})
    if code:
        browser.post("/login/code", code)
    return browser


def without_password(*, google=False):
    """Takes Ada's password away, perhaps connects Google. Returns a browser in which she is signed in by a link."""
    ada = User.objects.get(username="ada")
    User.objects.filter(pk=ada.pk).update(password="!")
    if google:
        ada.google.adopt("7", "ada@gmail.com")
    link = LinkFactory(email=ada.email, epoch=ada.session_epoch)
    browser = Client()
    browser.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})
    return browser


def hidden(page, action):
    """Returns the hidden `next` of the form that is posted to `action`."""
    form = page.text.partition(f'action="{action}"')[2].partition("</form>")[0]
    value = form.partition('name="next" value="')[2].partition('"')[0]
    return value.replace("&amp;", "&")


def press(browser, page, mailbox):
    """Asks for the link on the page, and presses the button in it. Returns the answer."""
    with after(minutes=1):
        asked = browser.post("/account/prove", {"next": hidden(page, "/account/prove")})
        assert asked.url == "/invite/sent"
        return browser.post("/confirm", {"token": mailbox.link("ada@example.com", "/confirm").partition("token=")[2]})


def to_google(browser, google, **person):
    google.person = Person(**{"sub": "7", "email": "ada@gmail.com"} | person)
    return browser.get(google.consent(browser.post(GOOGLE, {"next": NEXT}).url))


# By the password


def test_the_password_is_a_proof_and_leads_on(signed_in):
    first = of(signed_in)
    with after(hours=1):
        page = signed_in.get(PAGE, {"next": NEXT})
        assert QUESTION in words(page)
        assert "ada@example.com" in words(page)

        answer = signed_in.post(PAGE, {"next": hidden(page, PAGE), "password": PASSWORD})

        assert answer.url == NEXT
        assert of(signed_in).shown_at > first.shown_at
        assert of(signed_in).handle == first.handle


def test_a_wrong_password_is_none(signed_in):
    first = of(signed_in)

    page = signed_in.post(PAGE, {"next": NEXT, "password": "wrong"})

    assert page.status_code == 200
    assert "Password is not correct" in words(page)
    assert hidden(page, PAGE) == NEXT
    assert of(signed_in) == first


@pytest.mark.parametrize("sent", [{}, {"password": ""}, {"code": "123456"}])
def test_nothing_is_no_proof_however_lately_somebody_signed_in(signed_in, sent):
    first = of(signed_in)

    assert signed_in.post(PAGE, {"next": NEXT, **sent}).status_code == 200

    assert of(signed_in) == first


def test_with_two_step_verification_both_are_asked_for(ada):
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    first, code = of(browser), User.objects.get().second_factor.recovery_codes[0]
    with after(hours=1):
        for half in ({"password": PASSWORD}, {"code": code}):
            assert browser.post(PAGE, {"next": NEXT, **half}).status_code == 200
            assert of(browser) == first

        answer = browser.post(PAGE, {"next": NEXT, "password": PASSWORD, "code": code})

        assert answer.url == NEXT
        assert of(browser).factor == arrival.RECOVERY_CODE
        assert of(browser).at > first.at


def test_without_next_it_leads_where_signing_in_does(signed_in):
    assert signed_in.post(PAGE, {"password": PASSWORD}).url == "/account"


@pytest.mark.parametrize("away", AWAY)
def test_it_leads_to_no_other_site(signed_in, away):
    assert hidden(signed_in.get(PAGE, {"next": away}), PAGE) == ""
    assert signed_in.post(PAGE, {"next": away, "password": PASSWORD}).url == "/account"


def test_a_long_next_is_kept(signed_in):
    page = signed_in.get(PAGE, {"next": LONG})

    assert signed_in.post(PAGE, {"next": hidden(page, PAGE), "password": PASSWORD}).url == LONG


def test_too_many_passwords_get_a_page_that_says_when_to_go_on(signed_in):
    for _ in range(limits.PASSWORD_PER_USER.most):
        signed_in.post(PAGE, {"next": NEXT, "password": "wrong"})

    page = signed_in.post(PAGE, {"next": NEXT, "password": PASSWORD})

    assert page.status_code == 429
    assert page["Retry-After"]
    assert hidden(page, PAGE) == NEXT


# By a mailed link


def test_a_mailed_link_is_a_proof_and_leads_on(ada, mailbox):
    browser = without_password()
    first = of(browser)
    page = browser.get(PAGE, {"next": NEXT})
    assert "password" not in page.context["form"].fields

    assert press(browser, page, mailbox).url == NEXT

    assert of(browser).at > first.at
    assert of(browser).way == sessions.LINK


def test_whoever_has_forgotten_the_password_is_mailed_a_link(signed_in, mailbox):
    assert press(signed_in, signed_in.get(PAGE, {"next": NEXT}), mailbox).url == NEXT

    assert of(signed_in).way == sessions.LINK


def test_after_a_link_only_the_code_is_asked_for(ada, mailbox):
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    first = of(browser)
    press(browser, browser.get(PAGE, {"next": NEXT}), mailbox)
    assert of(browser) == first  # the code is still missing

    with after(minutes=2):
        page = browser.get(PAGE, {"next": NEXT})
        assert list(page.context["form"].fields) == ["code"]

        assert browser.post(PAGE, {"next": NEXT, "code": phone.code()}).url == NEXT

        assert of(browser)[:2] == (sessions.LINK, arrival.APP)
        assert of(browser).at > first.at


def test_a_next_that_no_link_can_store_waits_in_the_session(ada, mailbox):
    browser = without_password()

    pressed = press(browser, browser.get(PAGE, {"next": LONG}), mailbox)

    assert pressed.url == "/login/again?noted"
    assert browser.get(pressed.url).url == LONG
    assert browser.get(pressed.url).url == "/account"  # it is told once


def test_the_code_is_asked_for_before_a_next_that_has_waited(ada, mailbox):
    phone.pair(ada)
    browser = sign_in(code=phone.code())
    pressed = press(browser, browser.get(PAGE, {"next": LONG}), mailbox)

    with after(minutes=2):
        page = browser.get(pressed.url)
        assert list(page.context["form"].fields) == ["code"]

        assert browser.post(PAGE, {"next": hidden(page, PAGE), "code": phone.code()}).url == LONG


def test_the_address_in_the_mail_alone_leads_nobody_on(signed_in):
    signed_in.get(PAGE, {"next": LONG})

    page = signed_in.get("/login/again?noted")

    assert page.status_code == 200
    assert hidden(page, PAGE) == LONG


def test_in_another_browser_the_link_signs_in_and_asks_no_more(ada, mailbox):
    browser, other = without_password(), Client()
    page = browser.get(PAGE, {"next": LONG})
    browser.post("/account/prove", {"next": hidden(page, "/account/prove")})

    link = mailbox.link("ada@example.com", "/confirm").partition("token=")[2]
    pressed = other.post("/confirm", {"token": link, "here": "on"})

    assert other.get(pressed.url).url == "/account"


# By Google


def test_google_is_a_proof_for_whoever_has_no_password(ada, google):
    browser = without_password(google=True)
    first = of(browser)
    assert hidden(browser.get(PAGE, {"next": NEXT}), GOOGLE) == NEXT

    assert to_google(browser, google).url == NEXT

    assert of(browser).way == sessions.GOOGLE
    assert of(browser).shown_at > first.shown_at
    assert of(browser).handle == first.handle
    assert Event.objects.filter(kind=Event.Kind.SIGNED_IN).latest("id").detail["way"] == "google"


def test_google_opens_no_door_that_a_sign_in_does_not_open(ada, google):
    browser = without_password(google=True)
    with after(minutes=20):  # the mailed link of the sign-in is no proof any more
        to_google(browser, google)

        browser.post("/account/password", {"chosen": "another horse battery staple"})

    assert not User.objects.get().has_usable_password()


def test_another_google_account_proves_nothing(ada, google):
    browser = without_password(google=True)
    first = of(browser)

    answer = to_google(browser, google, sub="8", email="eve@gmail.com")

    assert answer.url.startswith(f"{PAGE}?next=")
    page = browser.get(answer.url)
    assert "That is not the Google account that is connected here." in words(page)
    assert hidden(page, GOOGLE) == NEXT
    assert of(browser) == first
    assert browser.session[SESSION_KEY] == str(ada.pk)


def test_who_says_no_to_google_is_asked_in_other_ways(ada, google):
    browser = without_password(google=True)
    first = of(browser)

    answer = browser.get(google.cancel(browser.post(GOOGLE, {"next": NEXT}).url))

    page = browser.get(answer.url)
    assert "You cancelled signing in with Google. Nothing has changed." in words(page)
    assert hidden(page, GOOGLE) == NEXT
    assert of(browser) == first


def test_after_google_the_code_is_asked_for(ada, google):
    phone.pair(ada)
    browser = without_password(google=True)
    browser.post("/login/code", {"code": phone.code()})
    first = of(browser)
    with after(minutes=20):
        answer = to_google(browser, google)

        assert of(browser) == first
        page = browser.get(answer.url)
        assert list(page.context["form"].fields) == ["code"]
        assert browser.post(PAGE, {"next": hidden(page, PAGE), "code": phone.code()}).url == NEXT
        assert of(browser)[:2] == (sessions.GOOGLE, arrival.APP)
        assert of(browser).at > first.at


def test_the_answer_counts_for_the_person_who_went_to_google_alone(ada, google):
    browser = without_password(google=True)
    google.person = Person(sub="7", email="ada@gmail.com")
    back = google.consent(browser.post(GOOGLE, {"next": NEXT}).url)
    User.objects.get().end_sessions()

    answer = browser.get(back)

    assert answer.url.startswith("/login")
    assert SESSION_KEY not in browser.session


def test_a_new_password_meanwhile_makes_the_answer_worthless(ada, google):
    browser = without_password(google=True)
    google.person = Person(sub="7", email="ada@gmail.com")
    back = google.consent(browser.post(GOOGLE, {"next": NEXT}).url)
    browser.post("/account/password", {"chosen": "another horse battery staple"})
    first = of(browser)

    page = browser.get(back, follow=True)

    assert QUESTION in words(page)
    assert hidden(page, PAGE) == NEXT
    assert of(browser) == first


@pytest.mark.parametrize("offered", [True, False])
def test_google_is_offered_only_where_it_is_connected_and_needed(ada, google, settings, offered):
    browser = without_password(google=offered)

    assert (GOOGLE in browser.get(PAGE).text) is offered

    settings.GOOGLE_CLIENT_ID = ""
    assert GOOGLE not in browser.get(PAGE).text
    assert browser.post(GOOGLE, {"next": NEXT}).status_code == 404


def test_whoever_has_a_password_is_asked_for_that(signed_in, ada, google):
    """Google asks nobody for their password anew, so a browser left open would answer for them."""
    ada.google.adopt("7", "ada@gmail.com")

    assert GOOGLE not in signed_in.get(PAGE).text
    assert signed_in.post(GOOGLE, {"next": NEXT}).url == PAGE


def test_whoever_has_connected_no_google_account_is_not_sent_there(signed_in, google):
    assert signed_in.post(GOOGLE, {"next": NEXT}).url == PAGE
    assert signed_in.get(GOOGLE).url == PAGE


# Somebody else, or nobody


def test_somebody_else_signs_in_and_goes_there(signed_in):
    UserFactory(username="grace", email="grace@example.com")
    page = signed_in.get(PAGE, {"next": LONG})

    answer = signed_in.post("/logout/here", {"next": hidden(page, "/logout/here"), "sign_in": "1"})

    assert SESSION_KEY not in signed_in.session
    field = signed_in.get(answer.url).context["form"]["next"].value()
    assert signed_in.post("/login", {"login": "grace", "password": PASSWORD, "next": field}).url == LONG


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_led_to_sign_in_and_from_there_straight_on(ada, client, method):
    answer = getattr(client, method)(PAGE, {"next": LONG})

    assert client.get(answer.url).context["form"]["next"].value() == LONG
    assert client.post(answer.url, {"login": "ada", "password": PASSWORD, "next": LONG}).url == LONG


def test_whose_session_has_ended_is_told_so(ada, signed_in):
    ada.end_sessions()

    page = signed_in.post(PAGE, {"next": NEXT, "password": PASSWORD}, follow=True)

    assert "Your session has ended" in words(page)
    assert page.context["form"]["next"].value() == NEXT
    assert MagicLink.objects.count() == 0
