"""Registering in one form: a plan until its mailed link is pressed, and only in the browser that made it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import names
from accounts.models import Address, Event, Session, User
from invites.link.browser import COOKIE, LIFETIME
from invites.models import Invite, MagicLink
from kit import cookies
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
FORM = {"email": EMAIL, "username": "grace", "password": PASSWORD}


def register(client, **typed):
    return client.post("/signup", FORM | typed)


def press(client, link, **typed):
    return client.post("/confirm", {"token": link.partition("token=")[2], **typed})


def test_no_account_is_made_and_the_mail_leads_to_one_button(client, mailbox):
    asked = register(client, next="/account?welcome")

    assert asked.url == "/invite/sent"
    assert not User.objects.exists()
    assert mailbox.kinds(EMAIL) == ["register"]
    page = words(client.get(mailbox.link(EMAIL)))
    assert "Confirm account" in page
    assert "grace" in page
    assert not User.objects.exists()


def test_the_button_makes_the_account_and_leads_to_sign_in(client, mailbox):
    register(client, next="/account?welcome")
    link = mailbox.link(EMAIL)

    done = client.post("/confirm", {"token": link.partition("token=")[2]}, follow=True)

    assert done.redirect_chain == [("/login?next=/account%3Fwelcome", 302)]
    assert "Email address confirmed. Sign in to carry on." in words(done)
    grace = User.objects.get()
    assert (grace.username, grace.email) == ("grace", EMAIL)
    assert [(a.email, a.verified, a.primary) for a in grace.emailaddress_set.all()] == [(EMAIL, True, True)]
    assert not Session.objects.exists()
    signed_in = client.post("/login", {"login": "grace", "password": PASSWORD, "next": "/account?welcome"})
    assert signed_in.url == "/account?welcome"
    assert mailbox.kinds(EMAIL) == ["register"]  # the browser that registered is not reported as new
    assert MagicLink.objects.get().password == ""


def test_in_any_other_browser_the_planned_password_is_not_used(mailbox):
    planner, owner = Client(), Client()
    register(planner)
    link = mailbox.link(EMAIL)

    page = owner.get(link, follow=True)
    assert page.redirect_chain[0][0].startswith("/signup?token=")
    token = page.context["token"]
    page = owner.get(page.context["here_url"])
    assert "Your email is confirmed" in words(page)
    assert 'value="grace"' in page.text
    assert press(owner, link).url.startswith("/signup?token=")
    assert not User.objects.exists()

    owner.post("/signup", {"token": token, "username": "grace", "password": "her own long password"})
    assert User.objects.get().check_password("her own long password")
    assert planner.post("/login", {"login": "grace", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("seal", ["", "made up", "another browser's", "expired"])
def test_only_a_fresh_seal_of_the_same_browser_opens_the_plan(client, mailbox, seal):
    register(client)
    link = mailbox.link(EMAIL)
    if seal == "another browser's":
        other = Client()
        register(other, email="someone.else@example.com", username="other")
        client.cookies["frontdoor_seal"] = other.cookies["frontdoor_seal"].value
    elif seal == "expired":
        MagicLink.objects.update(expires_at=timezone.now() + timedelta(days=3))
    else:
        client.cookies["frontdoor_seal"] = seal

    with time_machine.travel(timezone.now() + timedelta(hours=25 if seal == "expired" else 0)):
        assert press(client, link).url.startswith("/signup?token=")
    assert not User.objects.exists()


def test_two_plans_for_one_address_each_open_in_their_own_browser_only(mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    owner, planter = Client(), Client()
    register(owner)
    link = mailbox.link(EMAIL)

    register(planter, username="eve", password="planted by somebody else")
    planted = mailbox.link(EMAIL)

    assert press(owner, planted).url.startswith("/signup?token=")
    assert press(planter, link).url.startswith("/signup?token=")
    assert not User.objects.exists()
    assert press(owner, link).url == "/login"
    grace = User.objects.get()
    assert (grace.username, grace.check_password(PASSWORD)) == ("grace", True)
    assert press(planter, planted).status_code == 410


def test_pressing_twice_is_fine(client, mailbox):
    register(client)
    link = mailbox.link(EMAIL)
    client.get(link)

    assert press(client, link).url == press(client, link).url == "/login"
    assert User.objects.count() == 1


def seen(client, email):
    answer = register(client, email=email, username="newcomer")
    page = client.get("/invite/sent")
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(email, "ADDRESS")
    return answer.status_code, answer.url, page.status_code, body, sorted(client.cookies), sorted(answer.headers)


def test_a_stranger_gets_the_same_answer_for_every_address(ada, mailbox, hashes):
    UserFactory(email="idle@example.com", is_active=False)
    UserFactory(email="google@example.com", password=None)
    Invite.objects.issue("invited@example.com", source="admin")
    answers, costs, statements = [], [], []
    for email in ("new@example.com", ada.email, "idle@example.com", "google@example.com", "invited@example.com"):
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            answers.append(seen(Client(), email))
        costs.append(len(hashes))
        statements.append(len(queries))

    assert all(answer == answers[0] for answer in answers)
    assert set(costs) == {1}
    assert len(set(statements)) == 1
    assert mailbox.kinds(ada.email) == ["link_known"]
    assert mailbox.kinds("invited@example.com") == ["invite", "register"]


def test_a_plan_changes_nothing_of_an_existing_account(client, mailbox, ada):
    register(client, email=ada.email, username="eve", password="planted by somebody else")

    client.post("/confirm", {"token": mailbox.link(ada.email).partition("token=")[2]})

    ada.refresh_from_db()
    assert ada.username == "ada"
    assert ada.check_password(PASSWORD)
    assert not MagicLink.objects.exclude(password="").exists()


def test_sending_again_sends_the_same_mail_for_the_same_plan(client, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    register(client)
    client.post("/invite/sent")

    assert mailbox.kinds(EMAIL) == ["register", "register"]
    assert press(client, mailbox.link(EMAIL)).url == "/login"


def test_an_expired_link_to_a_plan_is_sent_again_for_the_same_plan(client, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    register(client)
    MagicLink.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    page = client.get(mailbox.link(EMAIL))
    assert page.status_code == 410

    client.post("/invite/sent", {"token": re.search(r'name="token" value="([^"]+)"', page.text)[1]})

    assert mailbox.kinds(EMAIL) == ["register", "register"]
    assert press(client, mailbox.link(EMAIL)).url == "/login"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"email": ""}, "Enter your email address"),
        ({"email": "nonsense"}, "in the correct format"),
        ({"username": ""}, "Enter a username"),
        ({"password": "short"}, "15 characters or more"),
        ({"password": "grace@example.com"}, "must not contain your username or email address"),
        ({"password": "grace@example.com", "username": "hopper"}, "must not contain your username or email address"),
        ({"password": ""}, "Enter a password"),
    ],
)
def test_a_refused_form_says_why_keeps_the_rest_and_mails_nothing(client, ada, typed, said):
    page = register(client, **typed)

    assert page.status_code == 200
    assert said in words(page)
    assert PASSWORD not in page.text
    for name in {"email", "username"} - set(typed):
        assert f'value="{FORM[name]}"' in page.text
    assert not OutboxMessage.objects.exists()


def test_the_form_tells_nobody_whether_a_name_is_taken(ada, hashes):
    answers, costs, statements = [], [], []
    for number, name in enumerate(("ada", "ADA", "adam")):
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            browser = Client()
            answer = register(browser, email=f"guest{number}@example.com", username=name)
        answers.append((answer.status_code, answer.url, sorted(browser.cookies), sorted(answer.headers)))
        costs.append(len(hashes))
        statements.append(len(queries))

    assert answers == [answers[0]] * 3
    assert answers[0][:2] == (302, "/invite/sent")
    assert (set(costs), len(set(statements))) == ({1}, 1)
    assert OutboxMessage.objects.count() == 3


def test_a_taken_name_is_asked_for_again_behind_the_mail_and_the_password_stays(client, mailbox, ada):
    register(client, username="ada")
    link = mailbox.link(EMAIL)

    page = client.get(link)

    assert "The username ada can’t be had. Choose another one; the password you chose is kept." in words(page)
    assert 'value="ada2"' in page.text
    assert 'type="password"' not in page.text
    assert MagicLink.objects.get().state == MagicLink.State.PENDING
    assert press(client, link, username="ada2").url == "/login"
    grace = User.objects.get(email=EMAIL)
    assert (grace.username, grace.check_password(PASSWORD)) == ("ada2", True)
    assert press(client, link, username="ada2").url == "/login"  # a double click
    assert User.objects.count() == 2


def test_a_name_taken_meanwhile_is_asked_for_again_and_the_link_stays_unused(client, mailbox):
    register(client)
    link = mailbox.link(EMAIL)
    client.get(link)
    UserFactory(username="grace", email="other@example.com")

    page = press(client, link)

    assert "The username grace can’t be had." in words(page)
    assert 'value="grace2"' in page.text
    assert User.objects.count() == 1
    assert MagicLink.objects.get().state == MagicLink.State.PENDING
    assert press(client, link, username="grace2").url == "/login"


@pytest.mark.parametrize(("name", "said"), [("ada", "ada2 is free"), ("", "Enter a username"), ("admin", "reserved")])
def test_another_name_is_checked_like_any(client, mailbox, ada, name, said):
    register(client, username="ada")
    link = mailbox.link(EMAIL)

    page = press(client, link, username=name)

    assert said in words(page)
    assert f'value="{name}"' in page.text or not name
    assert User.objects.count() == 1
    assert press(client, link, username="hopper").url == "/login"


def test_in_another_browser_no_other_name_opens_the_plan(client, mailbox, ada):
    register(client, username="ada")

    assert press(Client(), mailbox.link(EMAIL), username="ada2").url.startswith("/signup?token=")
    assert User.objects.count() == 1


def test_a_name_that_has_become_reserved_is_asked_for_again_too(client, mailbox, monkeypatch):
    register(client)
    monkeypatch.setattr(names, "RESERVED", names.RESERVED | {"grace"})

    page = press(client, mailbox.link(EMAIL))

    assert "The username grace can’t be had." in words(page)
    assert not User.objects.exists()


def test_a_failure_says_that_nothing_changed_and_whom_to_write_to(client, mailbox, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError("on purpose")

    register(client)
    link = mailbox.link(EMAIL)
    with monkeypatch.context() as broken:
        broken.setattr(Address, "first", fail)
        page = press(client, link)

    assert page.status_code == 503
    said = words(page)
    assert "We couldn’t confirm your account. Nothing has changed." in said
    assert f"help@testserver and quote {page['X-Request-Id']}" in said
    assert not User.objects.exists()
    assert press(client, link).url == "/login"


def test_a_program_that_fills_in_everything_is_answered_and_nothing_happens(client):
    assert register(client, leave_empty="x").url == "/invite/sent"
    assert not OutboxMessage.objects.exists()
    assert not MagicLink.objects.exists()


def test_where_an_invitation_is_needed_there_is_no_such_form(client, settings):
    settings.SIGNUP = "invited"

    for page in (client.get("/signup"), register(client)):
        assert page.status_code == 403
        assert "You need an invitation" in words(page)
    assert not MagicLink.objects.exists()


def test_a_plan_from_before_sign_up_was_closed_makes_no_account(client, mailbox, settings):
    register(client)
    settings.SIGNUP = "invited"

    assert client.get(mailbox.link(EMAIL)).status_code == 403
    assert press(client, mailbox.link(EMAIL)).status_code == 403
    assert not User.objects.exists()


def test_registering_with_an_invited_address_changes_no_invitation(client, mailbox, ada, settings):
    settings.RATELIMIT_ENABLE = False
    Invite.objects.issue(EMAIL, source="admin", invited_by=ada, note="Hello", next="/account?team")
    register(client, next="/account?mine")

    invite = Invite.objects.get()
    assert (invite.source, invite.note, invite.next) == ("admin", "Hello", "/account?team")
    assert press(client, mailbox.link(EMAIL)).url == "/login?next=/account%3Fteam"
    assert Invite.objects.get().accepted_by == User.objects.get(email=EMAIL)


def test_the_password_is_stored_as_a_hash_and_the_cookie_as_no_secret_of_it(client):
    register(client)

    assert MagicLink.objects.get().password.startswith("argon2$")
    assert PASSWORD not in str(client.cookies)
    assert client.cookies["frontdoor_seal"]["httponly"]


def test_a_signed_in_user_cannot_register(signed_in):
    assert signed_in.get("/signup").url == "/"
    assert register(signed_in).url == "/"


def test_making_the_account_is_in_the_history(client, mailbox):
    register(client)
    press(client, mailbox.link(EMAIL))

    assert Event.objects.get().kind == Event.Kind.CREATED
    assert Event.objects.get().ip == "127.0.0.1"


def test_one_browser_can_plan_for_two_addresses(client, mailbox):
    for name in ("grace", "alan"):
        register(client, email=f"{name}@example.com", username=name)

    for name in ("grace", "alan"):
        assert press(client, mailbox.link(f"{name}@example.com")).url == "/login"
    assert User.objects.count() == 2


def test_the_link_holds_no_seal_that_a_reader_of_the_database_could_use(client):
    register(client)
    request = type("Request", (), {"COOKIES": {"frontdoor_seal": client.cookies["frontdoor_seal"].value}})

    assert cookies.read(request, COOKIE, LIFETIME) not in {None, MagicLink.objects.get().seal}


@pytest.mark.parametrize("asks_again", [True, False])
def test_with_an_account_the_plan_is_never_read_and_pressing_twice_signs_in(client, mailbox, settings, asks_again):
    settings.RATELIMIT_ENABLE = False
    register(client)
    gracie = UserFactory(username="gracie", email=EMAIL, password="her own long password")
    if asks_again:
        client.post("/", {"email": EMAIL})

    link, impatient = mailbox.link(EMAIL, "/confirm"), Client()
    client.get(link)
    impatient.cookies["frontdoor_csrf"] = client.cookies["frontdoor_csrf"].value
    assert [press(browser, link).url for browser in (client, impatient)] == ["/account", "/account"]
    assert User.objects.get() == gracie
    assert User.objects.get().check_password("her own long password")


def test_asking_again_too_soon_keeps_the_address_and_says_when(client):
    register(client)

    page = Client().post("/", {"email": EMAIL})

    assert page.status_code == 429
    assert EMAIL in words(page)
    assert "We sent an email less than a minute ago" in words(page)
    assert int(page["Retry-After"]) > 0


def test_the_mail_to_a_known_address_says_that_the_form_was_not_used(client, mailbox, ada):
    register(client, email=ada.email)
    assert "The name and password typed there were not used." in " ".join(mailbox.text(ada.email).split())

    MagicLink.objects.issue(ada.email)
    assert "were not used" not in " ".join(mailbox.text(ada.email).split())


def test_the_other_browser_says_why_a_password_is_asked_for_again(client, mailbox):
    register(client)

    page = Client().get(mailbox.link(EMAIL), follow=True)

    assert "You signed up in another browser than this one." in words(page)
