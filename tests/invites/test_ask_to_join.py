"""Strangers ask to join where accounts are by invitation: nobody reads it before their address is proven."""

import re
from datetime import timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from invites import limits, purposes
from invites.models import Invite, JoinRequest, MagicLink
from kit import tokens
from kit.rate_limit import Quota
from outbox.models import OutboxMessage, Suppression
from tests.invites.test_statements import ASKED, shapes
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.program import Program, codes
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

KAY = "kay@parc.example"
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@pytest.fixture(autouse=True)
def by_request(settings):
    settings.SIGNUP = "request"


def ask(email=KAY, browser=None, **said):
    return (browser or Client()).post("/ask", {"email": email, **said})


def prove(mailbox, email=KAY, browser=None):
    """Presses the button on the page that the mail to this address leads to."""
    path = mailbox.link(email, "/ask/confirm")
    return (browser or Client()).post("/ask/confirm", {"token": path.partition("token=")[2]})


def ask_and_prove(mailbox, email=KAY, **said):
    ask(email, **said)
    prove(mailbox, email)
    return JoinRequest.objects.get(email=email)


def decline(row, by):
    JoinRequest.objects.filter(pk=row.pk).waiting().decline(by)


def test_a_request_is_there_once_its_address_is_proven(mailbox):
    browser = Client()
    led = ask(browser=browser, name="Kay  Alan", why="I know\r\nAlan.")

    assert (led.status_code, led.url) == (302, "/invite/sent")
    assert KAY in words(browser.get("/invite/sent"))
    assert not JoinRequest.objects.exists()
    page = Client().get(mailbox.link(KAY))
    assert "Confirm your request" in words(page)
    assert "Kay Alan" in words(page)
    assert "I know Alan." in words(page)
    assert not JoinRequest.objects.exists(), "a mail server opens links, too"

    page = prove(mailbox)

    assert "Your request is in" in words(page)
    row = JoinRequest.objects.get()
    assert (row.email, row.name, row.words) == (KAY, "Kay Alan", "I know Alan.")
    assert (row.state, row.network) == (JoinRequest.State.WAITING, "127.0.0.1")
    assert not User.objects.exists()
    assert not MagicLink.objects.exclude(details="").exists()


def test_no_account_comes_of_a_link_that_only_asks(mailbox):
    ask()
    token = mailbox.link(KAY).partition("token=")[2]

    for page in ("/signup", "/confirm"):
        answer = Client().post(page, {"token": token, "username": "kay", "password": PASSWORD})
        assert answer.status_code == 404, page
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("signup", "start", "form"), [("request", True, True), ("invited", True, True), ("open", False, False)]
)
def test_the_form_is_there_unless_anybody_may_join(settings, signup, start, form):
    settings.SIGNUP = signup

    assert ('href="/ask"' in Client().get("/").text) is start
    assert ('href="/ask"' in Client().get("/login").text) is start
    page = Client().get("/ask")
    assert (page.status_code == 200) is form
    if not form:
        assert page.url == "/"
        assert codes(Program().send("/api/v1/ask", email=KAY)) == ["open"]


def test_the_dead_end_of_an_uninvited_visitor_leads_to_the_form(settings, mailbox):
    settings.SIGNUP = "open"
    Client().post("/", {"email": KAY})
    link = mailbox.link(KAY)
    settings.SIGNUP = "invited"

    page = Client().post(link, {"here": "on"})

    assert page.status_code == 403
    assert 'href="/ask"' in page.text
    Client().post("/", {"email": "alan@bletchley.example"})
    assert "/ask" in mailbox.text("alan@bletchley.example")


def test_what_cannot_be_read_is_said_beside_its_field_and_kept():
    page = ask(email="kay@", name="Kay", why="x" * 301)

    assert page.status_code == 200
    assert "longer than 300 characters" in words(page)
    assert "x" * 301 in page.text
    assert 'value="Kay"' in page.text
    assert page.text.count('class="err"') == 2
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    "said", [{"why": "a\0b"}, {"name": "\ud800".encode("utf-8", "surrogatepass")}, {"name": "🦉" * 200}]
)
def test_nothing_that_is_typed_is_a_fault(said):
    assert ask(**said).status_code in {200, 400}


def test_a_typo_is_pointed_out_once_and_nothing_is_lost(mailbox):
    page = ask(email="kay@gmial.com", name="Kay")

    assert "Did you mean kay@gmail.com?" in words(page)
    assert 'value="Kay"' in page.text
    assert ask(email="kay@gmial.com", sure="kay@gmial.com").status_code == 302


def test_a_program_that_fills_in_the_hidden_field_gets_the_usual_answer_and_no_mail():
    assert ask(leave_empty="x").url == "/invite/sent"
    assert not OutboxMessage.objects.exists()


# The same answer for every address.
def have_asked(email, *, declined=False, staff=None):
    row = JoinRequest.objects.create(email=email)
    if declined:
        decline(row, staff)


@pytest.fixture
def everyone(settings, admin_user):
    settings.RATELIMIT_ENABLE = False
    UserFactory(username="known", email="known@example.com")
    UserFactory(username="idle", email="deactivated@example.com", is_active=False)
    UserFactory(username="google", email="google-only@example.com", password=None)
    InviteFactory(email="invited@example.com")
    Suppression.objects.suppress("suppressed@example.com", "550 5.1.1 No such user")
    have_asked("waiting@example.com")
    have_asked("declined@example.com", declined=True, staff=admin_user)
    return ["unknown", "known", "deactivated", "google-only", "invited", "suppressed", "waiting", "declined"]


def seen_by_a_stranger(kind):
    """Asks for this kind of address, twice. Returns everything that a stranger can see or count."""
    email, browser = f"{kind}@example.com", Client()
    before = OutboxMessage.objects.count()
    with CaptureQueriesContext(connection) as statements:
        asked = ask(email, browser, name="Kay", why="Hello")
    costs = shapes(statements)
    page, again = browser.get(asked.url), browser.post("/invite/sent")
    return {
        "statuses": (asked.status_code, page.status_code, again.status_code),
        "headers": sorted(asked.headers),
        "bodies": [CSRF.sub("", one.text).replace(email, "ADDRESS") for one in (page, again)],
        "cookies": sorted((name, morsel["max-age"]) for name, morsel in browser.cookies.items()),
        "mails": OutboxMessage.objects.count() - before,
        "statements": costs,
    }


@pytest.mark.parametrize("signup", ["request", "invited"])
def test_a_stranger_gets_the_same_answer_for_every_address(everyone, settings, signup):
    settings.SIGNUP = signup
    answers = [seen_by_a_stranger(kind) for kind in everyone]

    assert answers[0]["mails"] == 2
    assert answers[0]["statements"] == ASKED
    for kind, answer in zip(everyone, answers, strict=True):
        assert answer == answers[0], kind


def test_a_stranger_gets_the_same_answer_in_json_for_every_address(everyone):
    answers = []
    for kind in everyone:
        program = Program()
        program.look()
        with CaptureQueriesContext(connection) as statements:
            answer = program.send("/api/v1/ask", email=f"{kind}@example.com", name="Kay", why="Hello")
        told = answer.text.replace(f"{kind}@example.com", "ADDRESS")
        answers.append((answer.status_code, told, sorted(program.cookies), shapes(statements)))

    assert answers[0][0] == 202
    assert answers[0][3] == ASKED
    assert [answer == answers[0] for answer in answers] == [True] * len(everyone)


def test_what_differs_is_in_the_mail(everyone, mailbox):
    for kind in everyone:
        ask(f"{kind}@example.com")

    found = {kind: mailbox.kinds(f"{kind}@example.com")[-1:] for kind in everyone}
    assert found == {
        **{key: ["request_confirm"] for key in ("unknown", "waiting", "declined")},
        **{key: ["link_known"] for key in ("known", "deactivated", "google-only")},
        "invited": ["invite"],
        "suppressed": [],
    }


def test_who_was_declined_reads_what_one_reads_who_waits(mailbox, admin_user):
    row = ask_and_prove(mailbox)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        ask()
        waiting = prove(mailbox)
    decline(row, admin_user)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        ask()
        declined = prove(mailbox)

    assert "You asked already. We’ll answer by email." in words(waiting)
    assert words(declined) == words(waiting)
    assert JoinRequest.objects.get().state == JoinRequest.State.DECLINED


# Proving.
def test_a_second_press_shows_the_same_page_again(mailbox):
    ask_and_prove(mailbox)

    page = prove(mailbox)

    assert page.status_code == 200
    assert "Your request is in" in words(page)


def test_an_expired_link_mails_a_fresh_one_with_what_was_said(mailbox):
    ask(name="Kay", why="Hello")
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        page = prove(mailbox)
        assert page.status_code == 410
        token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
        assert Client().post("/invite/sent", {"token": token}).status_code == 200
        prove(mailbox)

    row = JoinRequest.objects.get()
    assert (row.name, row.words) == ("Kay", "Hello")


def test_sending_it_again_keeps_what_was_said(mailbox):
    browser = Client()
    ask(browser=browser, name="Kay", why="Hello")
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        assert browser.post("/invite/sent").status_code == 200
        prove(mailbox)

    assert JoinRequest.objects.get().words == "Hello"


@pytest.mark.parametrize("door", ["account", "invitation"])
def test_who_can_come_in_meanwhile_needs_no_request(mailbox, door):
    ask()
    if door == "account":
        UserFactory(username="kay", email=KAY)
    else:
        InviteFactory(email=KAY)

    page = prove(mailbox)

    assert "You needn’t ask: you can come in" in words(page)
    assert not JoinRequest.objects.exists()
    assert codes(Program().send("/api/v1/ask/confirm", token=mailbox.link(KAY, "/ask").partition("token=")[2])) == [
        "already_in"
    ]


def test_a_token_of_another_kind_proves_no_address():
    invite = InviteFactory(email=KAY)

    for purpose in (purposes.SIGNUP, purposes.CONFIRM, purposes.DECLINE):
        answer = Client().post("/ask/confirm", {"token": tokens.sign(purpose, invite.pk)})
        assert answer.status_code == 404
    assert Client().get("/ask/confirm?token=nonsense").status_code == 404


# Taking it back.
def taken_back(mailbox):
    return Client().post("/ask/take-back", {"token": mailbox.link(KAY, "/ask").partition("token=")[2]}, follow=True)


def test_a_request_can_be_taken_back(mailbox):
    ask_and_prove(mailbox)

    assert Client().get("/ask/take-back").url == "/ask"
    assert JoinRequest.objects.exists()
    assert "Your request is deleted." in words(taken_back(mailbox))
    assert not JoinRequest.objects.exists()
    assert prove(mailbox).status_code == 410


def test_taking_back_does_not_get_round_a_decline(mailbox, admin_user):
    decline(ask_and_prove(mailbox, name="Kay", why="Hello"), admin_user)

    assert "Your request is deleted." in words(taken_back(mailbox))
    row = JoinRequest.objects.get()
    assert (row.state, row.name, row.words) == (JoinRequest.State.DECLINED, "", "")


def test_the_json_doors_ask_prove_and_take_back(mailbox):
    program = Program()
    asked = program.send("/api/v1/ask", email=KAY, name="Kay", why="Hello")
    token = mailbox.link(KAY).partition("token=")[2]
    proven = program.send("/api/v1/ask/confirm", token=token)
    again = program.send("/api/v1/ask/confirm", token=token)

    assert (asked.status_code, proven.status_code) == (202, 200)
    assert again.json() == proven.json()
    assert JoinRequest.objects.get().name == "Kay"
    assert program.send("/api/v1/ask/take-back", token=token).status_code == 200
    assert not JoinRequest.objects.exists()
    assert codes(program.send("/api/v1/ask/confirm", token=token)) == ["used"]
    assert codes(program.send("/api/v1/ask/take-back", token="x")) == ["broken"]
    assert codes(program.send("/api/v1/ask", email="x", why="x" * 301)) == ["invalid", "max_length"]


# Limits.
def test_a_network_can_ask_only_so_often():
    for n in range(limits.REQUESTS_PER_NETWORK.most):
        assert ask(f"kay{n}@parc.example").status_code == 302

    assert ask("one.more@parc.example").status_code == 429
    assert OutboxMessage.objects.count() == limits.REQUESTS_PER_NETWORK.most


@pytest.mark.parametrize("kind", ["unknown", "known"])
def test_so_many_can_ask_in_a_day_whoever_they_are(kind):
    UserFactory(username="known", email="known@example.com")
    few = Quota("requests-day", most=2, window=timedelta(days=1), reason=limits.REQUESTS_A_DAY.reason)
    with patch.object(limits, "REQUESTS_A_DAY", few):
        assert [ask(f"kay{n}@parc.example").status_code for n in range(2)] == [302, 302]
        page = ask(f"{kind}@example.com")
        program = Program().send("/api/v1/ask", email=f"{kind}@example.com")

    assert (page.status_code, program.status_code) == (429, 429)
    assert "Very many people have asked to join today." in words(page)
    assert OutboxMessage.objects.count() == 2


def test_an_address_is_mailed_no_more_than_by_the_other_doors():
    assert ask().status_code == 302
    assert ask().status_code == 429
    assert Client().post("/", {"email": KAY}).status_code == 429


# What others hear.
def test_other_services_hear_of_a_proven_request_once(mailbox, announced):
    row = ask_and_prove(mailbox)
    prove(mailbox)

    assert announced() == [("invite.requested", {"request": str(row.pk)})]


def test_staff_who_may_answer_are_mailed_once_an_hour(mailbox, admin_user):
    UserFactory(username="plain", is_staff=True)
    UserFactory(username="former", is_superuser=True, is_staff=True, is_active=False)
    UserFactory(username="quiet", is_superuser=True, is_staff=True, settings={"requests": False})
    ask_and_prove(mailbox)
    ask_and_prove(mailbox, "win@prizes.example")

    told = list(OutboxMessage.objects.filter(kind="request_in").values_list("recipient", flat=True))
    assert told == [admin_user.email]
    letter = mailbox.letters(admin_user.email)[-1]
    assert letter["Subject"] == "1 person asks to join Frontdoor"
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        ask_and_prove(mailbox, "alan@bletchley.example")
        assert mailbox.letters(admin_user.email)[-1]["Subject"] == "3 people ask to join Frontdoor"


def test_staff_who_were_given_the_right_are_mailed(mailbox, desk):
    by_hand = UserFactory(username="maria", is_staff=True)
    by_hand.user_permissions.add(permission())
    ask_and_prove(mailbox)

    assert "request_in" in mailbox.kinds(by_hand.email)


def permission():
    return Permission.objects.get(content_type__app_label="invites", codename="add_invite")


def test_staff_can_choose_not_to_be_mailed(desk, signed_in, admin_user):
    assert 'name="requests"' not in signed_in.get("/account/settings").text
    assert 'name="requests"' in desk.get("/account/settings").text
    chosen = {"language": "en", "notices": "on", "digest": "on"}
    assert desk.post("/account/settings", chosen).status_code == 302
    admin_user.refresh_from_db()
    assert admin_user.settings["requests"] is False


# How long it is kept.
def test_what_nobody_has_proven_goes_a_day_after_its_link(mailbox):
    ask(why="Hello")
    with time_machine.travel(timezone.now() + timedelta(hours=26), tick=False):
        call_command("prune")

    assert not MagicLink.objects.exists()


def test_a_request_is_kept_for_90_days_and_a_week_after_its_answer(mailbox, admin_user):
    ask_and_prove(mailbox)
    declined = ask_and_prove(mailbox, "win@prizes.example")
    decline(declined, admin_user)

    with time_machine.travel(timezone.now() + timedelta(days=6), tick=False):
        call_command("prune")
        assert JoinRequest.objects.count() == MagicLink.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        call_command("prune")
        assert JoinRequest.objects.get().email == MagicLink.objects.get().email == KAY
        assert "Your request is deleted." in words(taken_back(mailbox))
    with time_machine.travel(timezone.now() + timedelta(days=91), tick=False):
        call_command("prune")
    assert not JoinRequest.objects.exists()
    assert not MagicLink.objects.exists()


def test_who_was_invited_and_declined_can_ask_again(mailbox, admin_user):
    row = ask_and_prove(mailbox)
    JoinRequest.objects.filter(pk=row.pk).invitable().invite(admin_user)
    Invite.objects.get().decline()
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        again = ask_and_prove(mailbox, why="I’ve changed my mind")

    assert again.state == JoinRequest.State.WAITING
    assert again.words == "I’ve changed my mind"
