"""The start page: a visitor gives an address, one mail is sent, and the page tells nothing about the address."""

import re
import time
from datetime import timedelta
from statistics import median
from uuid import uuid4

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.password.hashers import Argon2
from invites.models import Invite, MagicLink
from outbox.models import OutboxMessage, Suppression
from tests.invites.test_mail_bombing import device_of
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@pytest.fixture
def everyone():
    """The kinds of addresses that a stranger might be curious about; there is one address of each kind."""
    UserFactory(username="known", email="known@example.com")
    UserFactory(username="idle", email="deactivated@example.com", is_active=False)
    UserFactory(username="google", email="google-only@example.com", password=None)
    InviteFactory(email="invited@example.com")
    Suppression.objects.suppress("suppressed@example.com", "550 5.1.1 No such user")
    return ["unknown", "known", "deactivated", "google-only", "invited", "suppressed"]


def seen_by_a_stranger(kind, monkeypatch):
    """Asks for a link for this kind of address. Returns everything that a stranger can see or count."""
    hashes = []
    monkeypatch.setattr(Argon2, "encode", lambda *a, **k: hashes.append(1) or "x")
    before = OutboxMessage.objects.count()
    browser = Client(enforce_csrf_checks=True)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get("/").text)[1]
    asked = browser.post("/", {"email": f"{kind}@example.com", "csrfmiddlewaretoken": token})
    page = browser.get(asked.url)
    return {
        "statuses": (asked.status_code, page.status_code),
        "headers": sorted(asked.headers),
        "location": asked.url,
        "body": CSRF.sub("", page.text).replace(f"{kind}@example.com", "ADDRESS"),
        "cookies": sorted((name, morsel["max-age"], morsel["httponly"]) for name, morsel in browser.cookies.items()),
        "mails": OutboxMessage.objects.count() - before,
        "hashes": len(hashes),
    }


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_a_stranger_gets_the_same_answer_for_every_address(everyone, settings, monkeypatch, signup):
    settings.SIGNUP = signup

    answers = [seen_by_a_stranger(kind, monkeypatch) for kind in everyone]

    assert answers[0]["mails"] == 1
    assert answers[0]["hashes"] == 0
    for kind, answer in zip(everyone, answers, strict=True):
        assert answer == answers[0], kind


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_every_address_takes_the_same_statements(everyone, settings, django_assert_num_queries, signup):
    settings.SIGNUP = signup
    for kind in everyone:
        with django_assert_num_queries(2):
            Client().post("/", {"email": f"{kind}@example.com"})


def typed_by_a_stranger(kind):
    """Asks for a link, looks at the frame and types a wrong code. Returns all that a stranger can see of it."""
    browser = Client()
    browser.post("/", {"email": f"{kind}@example.com"})
    seen = [browser.get("/invite/sent/state"), browser.post("/invite/sent/code", {"code": "K7WQ-3MTD"})]
    seen += [browser.post("/api/v1/auth/relay/code", {"code": "K7WQ-3MTD"}, "application/json")]
    bodies = [CSRF.sub("", page.text).replace(f"{kind}@example.com", "ADDRESS") for page in seen]
    return [page.status_code for page in seen], bodies, sorted(browser.cookies)


@pytest.mark.parametrize("again", [False, True], ids=["mailed", "mailed too often"])
def test_the_field_for_the_code_tells_nothing_of_an_address(everyone, again):
    if again:
        for kind in everyone:
            Client().post("/", {"email": f"{kind}@example.com"})

    answers = [typed_by_a_stranger(kind) for kind in everyone]

    assert answers[0][0] == [200, 200, 400]
    assert answers.count(answers[0]) == len(everyone)


def test_a_typed_code_takes_the_same_statements_for_every_address(everyone, django_assert_num_queries):
    for kind in everyone:
        browser = Client()
        browser.post("/", {"email": f"{kind}@example.com"})
        with django_assert_num_queries(1):
            browser.post("/invite/sent/code", {"code": "K7WQ-3MTD"})


def test_every_address_takes_the_same_time(everyone, settings, record_property):
    """Reports the times and asserts none, as clocks vary: equal statements and hashes are what keeps them alike."""
    settings.RATELIMIT_ENABLE = False
    taken = {kind: [] for kind in everyone}
    for _ in range(15):
        for kind, times in taken.items():
            started = time.perf_counter()
            Client().post("/", {"email": f"{kind}@example.com"})
            times.append(time.perf_counter() - started)
    medians = {kind: round(median(times) * 1000, 2) for kind, times in taken.items()}
    record_property("asking for a link, median ms", medians)


def test_no_account_and_no_address_exist_before_proof(client):
    client.post("/", {"email": "grace@example.com"})

    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()
    assert MagicLink.objects.get().state == MagicLink.State.PENDING


def test_asking_twice_makes_two_links_and_both_work(client, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    links = []
    for typed in ("grace@example.com", "GRACE@example.com "):
        client.post("/", {"email": typed})
        links.append(mailbox.link("grace@example.com"))

    assert MagicLink.objects.filter(email="grace@example.com").count() == 2
    assert len(mailbox.letters("grace@example.com")) == 2
    assert [client.get(link).status_code for link in links] == [200, 200]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "Enter your email address"),
        ("ada@example", "like name@example.com"),
        ("a" * 255 + "@example.com", "254 characters or less"),
    ],
)
def test_a_mistyped_address_is_explained_and_kept(client, typed, reason):
    page = client.post("/", {"email": typed})

    assert page.status_code == 200
    assert reason in page.text
    assert "<title>Error: " in page.text
    assert 'id="errors"' in page.text
    assert f'value="{typed}"' in page.text or not typed
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(("email", "letter"), [("аda@example.com", "а"), ("n@еxample.com", "е")])
def test_a_letter_that_only_looks_like_another_is_named(client, email, letter):
    assert f"“{letter}” " in words(client.post("/", {"email": email}))
    assert not OutboxMessage.objects.exists()


def test_a_likely_typo_is_asked_about_once(client):
    page = client.post("/", {"email": "ada@gmial.com"})
    assert "Did you mean ada@gmail.com?" in words(page)
    assert not OutboxMessage.objects.exists()

    sure = re.search(r'name="sure" value="([^"]*)"', page.text)[1]
    assert client.post("/", {"email": "ada@gmial.com", "sure": sure}).url == "/invite/sent"
    assert OutboxMessage.objects.get().recipient == "ada@gmial.com"


def test_a_program_that_fills_in_every_field_gets_the_page_and_no_mail(client):
    assert client.post("/", {"email": "bot@example.com", "leave_empty": "https://spam.example"}).url == "/invite/sent"
    assert not OutboxMessage.objects.exists()


def test_next_rides_in_the_row_and_stays_on_this_site(client):
    client.post("/", {"email": "a@example.com", "next": "/account?tab=1"})
    client.post("/", {"email": "b@example.com", "next": "https://evil.example/"})

    assert list(MagicLink.objects.order_by("email").values_list("next", flat=True)) == ["/account?tab=1", ""]


def test_a_stranger_changes_nothing_of_an_invitation(client, mailbox):
    invite = InviteFactory(email="invited@example.com", next="/welcome", language="en")
    before = [list(model.objects.values()) for model in (Invite, MagicLink)]

    client.post("/", {"email": "invited@example.com", "next": "/account"}, headers={"Accept-Language": "ru"})

    asked = MagicLink.objects.exclude(pk=invite.pk)
    assert [list(rows.values()) for rows in (Invite.objects, MagicLink.objects.filter(pk=invite.pk))] == before
    assert asked.get().leads_to == "/welcome"
    assert mailbox.letters("invited@example.com")[0]["Content-Language"] == "en"


def test_a_strangers_next_does_not_change_where_an_invitation_leads(client, settings):
    settings.RATELIMIT_ENABLE = False
    planted = {"email": "grace@example.com", "next": "/account?planted"}
    client.post("/", planted)

    invite = Invite.objects.issue("grace@example.com", source="admin")
    client.post("/", planted)

    assert {link.leads_to for link in invite.links.all()} == {""}
    assert invite.links.count() == 2


def test_a_second_mail_within_a_minute_is_refused_until_a_named_time(client):
    client.post("/", {"email": "ada@example.com"})

    page = client.post("/", {"email": "ADA@example.com"})

    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= 60
    assert re.search(r"You can send another one after \d\d:\d\d \(UTC\)", page.text)
    assert OutboxMessage.objects.count() == 1


def test_one_network_may_ask_for_sixty_mails_in_ten_minutes(client):
    for n in range(60):
        assert client.post("/", {"email": f"{n}{uuid4().hex}@example.com"}).status_code == 302

    page = client.post("/", {"email": "one.more@example.com"})
    assert page.status_code == 429
    assert "Check your email" not in words(page)  # perhaps nobody has mailed that address at all
    other = Client(REMOTE_ADDR="198.51.100.1")
    assert other.post("/", {"email": "one.more@example.com"}).status_code == 302


def test_a_network_that_asks_too_often_holds_up_a_device_of_the_owner_too(ada):
    mine = device_of("ada")
    for n in range(60):
        Client().post("/", {"email": f"guest{n}@example.com"})

    assert mine.post("/", {"email": ada.email}).status_code == 429
    assert not OutboxMessage.objects.filter(recipient=ada.email, kind="link_known").exists()


def test_a_signed_in_user_sees_their_name_and_the_way_on(signed_in):
    page = signed_in.get("/")

    assert "You’re signed in as" in page.text
    assert "ada" in page.text
    assert 'href="/account"' in page.text


def test_by_invitation_only_the_page_says_so(client, settings):
    settings.SIGNUP = "invited"

    assert "You need an invitation" in client.get("/").text


def test_a_sixth_mail_within_an_hour_is_refused(client):
    start = timezone.now().replace(minute=0, second=0)
    answers = []
    for minute in range(0, 60, 2):
        with time_machine.travel(start + timedelta(minutes=minute)):
            answers.append(client.post("/", {"email": "ada@example.com"}))

    refused = [answer for answer in answers if answer.status_code == 429]
    assert OutboxMessage.objects.count() <= 10  # five in each fixed window
    assert "several emails to this address within an hour" in words(refused[0])
