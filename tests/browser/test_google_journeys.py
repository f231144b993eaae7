"""Coming in with Google and all it leads to, with scripts off and by keyboard, in both languages.

The site is at localhost and the stand-in for Google at 127.0.0.1, so that they are two sites to a browser, as in life.
"""

from urllib.parse import urlsplit

import pytest
from django.utils import translation
from django.utils.csp import CSP

from accounts.models import User
from invites.models import Invite
from tests.browser.keyboard import (
    LAPTOP,
    PHONE,
    answer_google,
    enter,
    focused,
    heading,
    press,
    sign_in,
    tab_to,
    words,
    write,
)
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import AUTHORIZE, CALLBACK, CONSENT, Google, Person, TokenAnswer

pytestmark = pytest.mark.usefixtures("db")

GRACE = Person(sub="2001", email="grace@gmail.com")
GRACE_AT_WORK = Person(sub="2001", email="grace@navy.example")

in_both_languages = pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
in_english = pytest.mark.parametrize("locale", ["en-GB"])


@pytest.fixture
def said(locale):
    """A function that translates words of a template: `said("We asked %(inviter)s", inviter="maria")`."""

    def said(text, context=None, **values):
        with translation.override(locale[:2]):
            return (translation.pgettext(context, text) if context else translation.gettext(text)) % values

    return said


@pytest.fixture
def device(visit, site, google, locale):
    """A function that opens a page in a new browser. Fails if one blocked something or asked any third site."""
    blocked, asked = [], set()

    def device(agent=LAPTOP):
        page = visit(locale=locale, user_agent=agent)
        page.on("console", lambda message: blocked.append(message.text) if is_csp(message) else None)
        page.on("request", lambda request: asked.add("{0.scheme}://{0.netloc}".format(urlsplit(request.url))))
        return page

    yield device
    assert blocked == []
    assert asked == {site, google.url}


@pytest.fixture
def person(db, locale):
    """A function that makes a user who reads pages in the language of the test."""
    return lambda name, email: UserFactory(username=name, email=email, settings={"language": locale[:2]})


@pytest.fixture
def maria(person):
    return person("maria", "maria@lab.example")


def is_csp(message):
    return "Content Security Policy" in message.text


def through_google(page, said, **answer):
    press(page, said("Continue with Google"))
    answer_google(page, **answer)


def path(page):
    return urlsplit(page.url).path


# New people


@in_both_languages
def test_an_invite_is_accepted_with_google(device, mailbox, google, said, maria):
    invite = Invite.objects.issue("grace@gmail.com", source="admin", invited_by=maria, next="/account/settings")
    google.person = GRACE
    page = device()
    page.goto(mailbox.link("grace@gmail.com"))
    press(page, said("Continue with Google"))
    assert "Asked for grace@gmail.com" in page.content()
    assert not User.objects.filter(email="grace@gmail.com").exists()
    answer_google(page)

    assert path(page) == "/account/settings"
    assert said("Your account is ready.") in words(page)
    grace = User.objects.get(email="grace@gmail.com")
    invite.refresh_from_db()
    assert (invite.state, invite.accepted_by) == ("accepted", grace)
    assert grace.google.email == "grace@gmail.com"
    assert not grace.has_usable_password()

    phone = device(PHONE)
    phone.goto("/login")
    through_google(phone, said)
    assert path(phone) == "/account"
    assert "grace@gmail.com" in words(phone)
    assert User.objects.count() == 2


@in_both_languages
@pytest.mark.parametrize("start", ["/", "/signup", "/login"])
def test_where_everybody_may_join_google_is_enough(device, google, said, start):
    google.person = GRACE
    page = device()
    page.goto(start)
    through_google(page, said)

    assert path(page) == "/account"
    assert said("Your account is ready.") in words(page)
    assert User.objects.get().email == "grace@gmail.com"


@in_both_languages
def test_where_an_invitation_is_needed_google_is_none(device, google, said, settings):
    settings.SIGNUP = "invited"
    google.person = GRACE
    page = device()
    page.goto("/")
    through_google(page, said)

    assert heading(page) == said("You need an invitation")
    assert "grace@gmail.com" in words(page)
    assert not User.objects.exists()


# People who have an account


@in_both_languages
def test_an_account_with_googles_own_address_is_connected_at_once_and_told(device, mailbox, google, said, person):
    grace = person("hopper", "grace@gmail.com")
    google.person = GRACE
    page = device()
    page.goto("/login?next=/account/settings")
    through_google(page, said)

    assert path(page) == "/account/settings"
    assert grace.google.email == "grace@gmail.com"
    assert "google_connected" in mailbox.kinds("grace@gmail.com")


@in_both_languages
def test_any_other_account_is_connected_after_its_password(device, mailbox, google, said, person):
    grace = person("grace", "grace@navy.example")
    google.person = GRACE_AT_WORK
    page = device()
    page.goto("/login?next=/account/settings")
    through_google(page, said)
    assert heading(page) == said("Check your email")
    assert "grace@navy.example" in words(page)
    assert grace.google.account is None

    press(page, said("Sign in with your password"))
    write(page, "id_login", "grace")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert said("Google is connected.") in words(page)
    assert path(page) == "/account/settings"
    assert grace.google.email == "grace@navy.example"
    assert "google_connected" in mailbox.kinds("grace@navy.example")


@in_both_languages
def test_or_after_a_mailed_link(device, mailbox, google, said, person):
    grace = person("grace", "grace@navy.example")
    google.person = GRACE_AT_WORK
    page = device()
    page.goto("/")
    through_google(page, said)
    assert heading(page) == said("Check your email")

    page.goto(mailbox.link("grace@navy.example"))
    press(page, said("Sign in"))
    assert said("Google is connected.") in words(page)
    assert grace.google.email == "grace@navy.example"
    assert "google_connected" in mailbox.kinds("grace@navy.example")


@in_both_languages
def test_a_newcomer_whose_address_google_does_not_give_out_finishes_by_mail(device, mailbox, google, said):
    google.person = GRACE_AT_WORK
    page = device()
    page.goto("/")
    through_google(page, said)
    assert heading(page) == said("Check your email")
    assert not User.objects.exists()

    page.goto(mailbox.link("grace@navy.example"))
    write(page, "id_username", "grace")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert said("Google is connected.") in words(page)
    grace = User.objects.get()
    assert (grace.email, grace.google.email) == ("grace@navy.example", "grace@navy.example")


@in_both_languages
def test_google_is_connected_on_the_account_page_and_disconnected_again(device, mailbox, google, said, person):
    grace = person("grace", "grace@navy.example")
    google.person = GRACE
    page = device()
    sign_in(page, "grace", PASSWORD)
    assert said("Not connected") in words(page)
    press(page, f"{said('Connect', 'Google')} Google")
    write(page, "id_password", "not the password")
    enter(page)
    focused(page, "errors")
    write(page, "id_password", PASSWORD)
    tab_to(page, said("Continue to Google"))
    enter(page)
    assert "Asked for grace@navy.example" in page.content()
    answer_google(page)
    assert said("Google is connected.") in words(page)
    assert "grace@gmail.com" in words(page)
    assert mailbox.kinds("grace@navy.example")[-1] == "google_connected"

    phone = device(PHONE)
    phone.goto("/login")
    through_google(phone, said)
    assert path(phone) == "/account"

    press(page, f"{said('Disconnect')} Google")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert said("Google is disconnected.") in words(page)
    assert said("Not connected") in words(page)
    assert grace.google.account is None
    assert mailbox.kinds("grace@navy.example")[-1] == "google_disconnected"


@in_both_languages
def test_google_that_a_thief_connected_goes_with_one_press_in_the_mail(device, mailbox, google, said, person):
    ada = person("ada", "ada@navy.example")
    google.person = Person(sub="666", email="mallory@gmail.com")
    thief = device(PHONE)
    sign_in(thief, "ada", PASSWORD)
    press(thief, f"{said('Connect', 'Google')} Google")
    write(thief, "id_password", PASSWORD)
    enter(thief)
    answer_google(thief)
    assert ada.google.email == "mallory@gmail.com"

    page = device()
    page.goto(mailbox.link("ada@navy.example", "/not-me"))
    assert said("Google connected") in words(page)
    press(page, said("This was not me"))
    assert ada.google.account is None
    thief.goto("/account")
    assert path(thief) == "/login"
    through_google(thief, said)
    assert "ada@navy.example" not in words(thief)


# An invite for another address


@in_both_languages
def test_who_chose_another_address_at_google_asks_for_the_invite_to_follow(device, mailbox, google, said, maria):
    invite = Invite.objects.issue("grace@navy.example", source="admin", invited_by=maria, next="/account/settings")
    google.person = GRACE
    page = device()
    page.goto(mailbox.link("grace@navy.example"))
    through_google(page, said)
    assert heading(page) == said("This invitation is for another address")
    assert page.locator("main p .mail").all_inner_texts() == ["grace@navy.example", "grace@gmail.com"]
    press(page, said("Ask %(inviter)s to send it to %(email)s", email="grace@gmail.com", inviter="maria"))
    assert heading(page) == said("We asked %(inviter)s", inviter="maria")
    assert mailbox.kinds("grace@gmail.com") == []

    desk = device(PHONE)
    desk.goto(mailbox.link("maria@lab.example", "/invite/readdress"))
    assert heading(desk) == said("Send an invitation to another address?")
    tab_to(desk, said("No, leave it with %(invited)s", invited="grace@navy.example"))
    desk.keyboard.press("Shift+Tab")
    focused(desk, said("Send it to %(other)s", other="grace@gmail.com"))
    enter(desk)
    assert heading(desk) == said("The invitation has been sent")

    page.goto(mailbox.link("grace@navy.example"))
    assert not page.locator("main input:visible").count()  # the link no longer works
    page.goto(mailbox.link("grace@gmail.com"))
    through_google(page, said)
    assert path(page) == "/account/settings"
    assert said("Your account is ready.") in words(page)
    grace = User.objects.get(email="grace@gmail.com")
    assert Invite.objects.get(accepted_by=grace).email == "grace@gmail.com"
    invite.refresh_from_db()
    assert invite.state == "revoked"


@in_both_languages
def test_a_sender_who_says_no_leaves_the_invite_where_it_was(device, mailbox, google, said, maria):
    invite = Invite.objects.issue("grace@navy.example", source="admin", invited_by=maria)
    google.person = GRACE
    page = device()
    page.goto(mailbox.link("grace@navy.example"))
    through_google(page, said)
    press(page, said("Ask %(inviter)s to send it to %(email)s", email="grace@gmail.com", inviter="maria"))

    desk = device(PHONE)
    desk.goto(mailbox.link("maria@lab.example", "/invite/readdress"))
    press(desk, said("No, leave it with %(invited)s", invited="grace@navy.example"))
    assert heading(desk) == said("The invitation stays as it is")
    assert mailbox.kinds("grace@gmail.com") == ["not_readdressed"]

    google.person = GRACE_AT_WORK
    page.goto(mailbox.link("grace@navy.example"))
    through_google(page, said)
    assert said("Your account is ready.") in words(page)
    invite.refresh_from_db()
    assert invite.state == "accepted"


@in_both_languages
def test_who_is_signed_in_as_another_signs_out_and_goes_on_with_the_invite(
    device, mailbox, google, said, person, maria
):
    Invite.objects.issue("grace@gmail.com", source="admin", invited_by=maria, next="/account/settings")
    person("ada", "ada@example.com")
    google.person = GRACE
    page = device()
    sign_in(page, "ada", PASSWORD)
    page.goto(mailbox.link("grace@gmail.com"))
    assert heading(page) == said("This invitation is for another address")
    assert page.locator("main p .mail").all_inner_texts() == ["grace@gmail.com", "ada@example.com"]
    press(page, said("Sign out and continue as %(invited)s", invited="grace@gmail.com"))
    assert page.input_value("#id_email") == "grace@gmail.com"
    assert said("You’re signed out on this device.") in words(page)

    through_google(page, said)
    assert path(page) == "/account/settings"
    assert User.objects.filter(email="grace@gmail.com").exists()


# Trouble


@in_both_languages
def test_who_cancels_at_google_is_back_at_the_door(device, google, said):
    page = device()
    page.goto("/")
    through_google(page, said, cancel=True)

    assert path(page) == "/login"
    assert said("You cancelled signing in with Google. Nothing has changed.") in words(page)
    assert not User.objects.exists()
    through_google(page, said)
    assert said("Your account is ready.") in words(page)


def is_told_of_trouble(page, said):
    sentence = "Google didn’t complete the sign-in. Try again, or use a link from your email."
    return path(page) == "/login" and said(sentence) in words(page)


@in_both_languages
@pytest.mark.parametrize("answer", [TokenAnswer.DROP, TokenAnswer.ERROR])
def test_when_google_is_down_the_door_says_so(device, google, said, answer):
    google.token_answer = answer
    page = device()
    page.goto("/")
    through_google(page, said)

    assert is_told_of_trouble(page, said)
    assert not User.objects.exists()
    google.token_answer = TokenAnswer.NORMAL
    through_google(page, said)
    assert said("Your account is ready.") in words(page)


@in_english
def test_when_google_refuses_connections_the_door_says_so(device, google, said, closed_port, monkeypatch):
    host, port = closed_port
    monkeypatch.setattr("accounts.google.client.Client.access_token_url", f"http://{host}:{port}/token")
    page = device()
    page.goto("/")
    through_google(page, said)

    assert is_told_of_trouble(page, said)


# Rules that the browser itself enforces


@in_english
def test_the_way_back_is_from_another_site_and_the_session_survives_it(device, google, said):
    page, came = device(), {}
    page.on("request", lambda request: came.setdefault(urlsplit(request.url).path, request))
    page.goto("/")
    through_google(page, said)

    assert path(page) == "/account"
    assert came[AUTHORIZE].all_headers()["sec-fetch-site"] == "cross-site"
    assert came[CALLBACK].all_headers()["sec-fetch-site"] == "cross-site"


@in_english
def test_a_stricter_cookie_would_lose_the_session_on_the_way_back(device, google, said, settings):
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    page = device()
    page.goto("/")
    through_google(page, said)

    assert path(page) == "/login"
    assert not User.objects.exists()


@pytest.fixture
def stranger():
    """Another server on this machine, which no page of ours may send anything to."""
    stranger = Google()
    yield stranger
    stranger.close()


@pytest.fixture
def altered(visit, stranger):
    """The start page after an attack that changed the target of its form for Google, but no headers."""
    page = visit(locale="en-GB")

    def alter(route):
        answer = route.fetch()
        route.fulfill(
            response=answer, body=answer.text().replace('action="/google"', f'action="{stranger.url}{CONSENT}"')
        )

    page.route("**/", alter)
    return page


def press_in_vain(page, target):
    """Presses a button whose form the CSP header forbids, and waits until the browser has reported that."""
    tab_to(page, target)
    with page.expect_console_message(lambda message: is_csp(message) and "form-action" in message.text):
        page.keyboard.press("Enter")
    page.wait_for_timeout(200)


def test_forms_lead_nowhere_but_to_the_site_and_to_google(altered, stranger):
    altered.goto("/")
    press_in_vain(altered, "Continue with Google")

    assert heading(altered) == "Sign in or create an account"
    assert stranger.visits == []


def test_without_the_header_they_would(altered, stranger, settings):
    settings.SECURE_CSP = {}
    altered.goto("/")
    press(altered, "Continue with Google")

    assert [visit.path for visit in stranger.visits] == [CONSENT]


def test_the_way_to_google_is_open_because_the_header_names_it(visit, google, settings):
    page = visit(locale="en-GB")
    settings.SECURE_CSP, policy = settings.SECURE_CSP | {"form-action": [CSP.SELF]}, settings.SECURE_CSP
    page.goto("/")
    settings.SECURE_CSP = policy  # else the site would lead there by a page in between

    press_in_vain(page, "Continue with Google")

    assert google.visits == []
