"""Guessing passwords: how many wrong ones shut the door to strangers, what opens it again, and when the owner hears."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import limits
from accounts.models import Event, User
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

WRONG = "not the right password"
NEW = "another horse battery staple"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def patient(settings, monkeypatch):
    """Lifts the limits that make a guesser wait, so that tests need not."""
    settings.RATELIMIT_ENABLE = False
    for name in ("LOGIN_PER_NAME", "LOGIN_PER_DEVICE"):
        monkeypatch.setattr(limits, name, replace(getattr(limits, name), most=1_000))


def sign_in(client=None, password=PASSWORD, login="ada"):
    return (client or Client()).post("/login", {"login": login, "password": password})


def guess(times, login="ada", client=None):
    for _ in range(times):
        assert sign_in(client, WRONG, login).status_code == 200


def read(page):
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)
    return page.status_code, re.sub(r'name="login" value="\w+"', "", body), sorted(page.headers)


def shut(ada):
    """Makes as many wrong guesses as shut the door; the first ones at once, as only the last is looked at."""
    Event.objects.bulk_create(Event(kind="failed", user=ada) for _ in range(limits.LOGIN_IN_A_ROW - 1))
    guess(1)


def test_a_hundred_wrong_passwords_in_a_row_shut_the_door_to_unknown_devices(ada):
    guess(limits.LOGIN_IN_A_ROW - 1)
    assert sign_in(Client()).status_code == 302  # in a row means until somebody is in
    guess(limits.LOGIN_IN_A_ROW)

    assert "Those details don’t match an account" in words(sign_in())
    assert limits.LOGIN_IN_A_ROW == 100


def test_name_and_address_lead_to_one_door(ada):
    guess(50)
    guess(50, ada.email)

    assert sign_in().status_code == sign_in(login=ada.email).status_code == 200


def test_the_count_outlives_redis(ada):
    shut(ada)

    for cache in caches.all():
        cache.clear()

    assert sign_in().status_code == 200


def test_a_shut_door_looks_as_it_does_to_a_wrong_password_or_an_unknown_name(ada, hashes):
    shut(ada)
    guess(limits.LOGIN_IN_A_ROW, "nobody")
    seen = []
    for login, password in (("ada", PASSWORD), ("ada", WRONG), ("nobody", PASSWORD)):
        browser, before = Client(), Event.objects.filter(kind="failed").count()
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            page = sign_in(browser, password, login)
        statements = [re.sub(r"'[^']*'(::\w+)?|NULL", "?", query["sql"]) for query in queries]
        failed = Event.objects.filter(kind="failed").count() - before
        seen.append((*read(page), sorted(browser.cookies), len(hashes), failed, statements))

    assert seen[0] == seen[1] == seen[2]
    assert seen[0][4:6] == (1, 1)


def test_a_program_meets_the_same_door(ada):
    shut(ada)

    right, wrong = Program().sign_in("ada", PASSWORD), Program().sign_in("ada", WRONG)

    assert (right.status_code, right.json()) == (wrong.status_code, wrong.json())
    assert right.status_code == 401


def test_a_known_device_is_never_shut(ada):
    mine = Client()
    sign_in(mine)
    mine.post("/logout/here")
    shut(ada)

    assert sign_in(mine).status_code == 302
    mine.post("/logout/here")
    assert sign_in().status_code == 302  # its owner has signed in, so the row has ended


def test_wrong_passwords_on_a_known_device_shut_nothing(ada):
    mine = Client()
    sign_in(mine)
    mine.post("/logout/here")
    guess(limits.LOGIN_IN_A_ROW, client=mine)

    assert sign_in().status_code == 302


def test_wrong_passwords_of_somebody_signed_in_shut_nothing(signed_in, ada, monkeypatch):
    for _ in range(limits.LOGIN_IN_A_ROW):
        signed_in.post("/account/password", {"password": WRONG, "chosen": NEW})

    assert ada.events.filter(kind="failed").count() == limits.LOGIN_IN_A_ROW
    assert sign_in().status_code == 302


def copied(client):
    """Returns the browser of a thief, who has nothing but the cookie of the session."""
    thief = Client()
    thief.cookies["frontdoor_session"] = client.cookies["frontdoor_session"].value
    return thief


def test_wrong_passwords_with_a_stolen_session_shut_the_door_like_those_at_sign_in(signed_in, ada):
    thief = copied(signed_in)
    for _ in range(limits.LOGIN_IN_A_ROW):
        assert "Password is not correct" in words(thief.post("/account/delete", {"password": WRONG}))

    assert "Those details don’t match an account" in words(sign_in())
    assert sign_in(copied_device(signed_in)).status_code == 302


def copied_device(client):
    known = Client()
    known.cookies["frontdoor_device"] = client.cookies["frontdoor_device"].value
    return known


PROOFS = [
    ("/account/delete", {}),
    ("/account/password", {"chosen": NEW}),
    ("/account/email", {"email": "mallory@thief.example"}),
    ("/account/sessions/prolong", {}),
    ("/login/again", {}),
]


@pytest.mark.parametrize("password", [PASSWORD, WRONG])
@pytest.mark.parametrize(("path", "form"), PROOFS)
def test_a_shut_door_says_so_to_a_signed_in_visitor_and_offers_a_link(signed_in, ada, path, form, password):
    shut(ada)
    failed = ada.events.filter(kind="failed").count()

    page = copied(signed_in).post(path, form | {"password": password})

    assert "Many wrong passwords were entered for your account" in words(page)
    assert "Email me a link" in words(page)
    assert ada.events.filter(kind="failed").count() == failed
    assert User.objects.get().check_password(PASSWORD)
    assert signed_in.post("/account/password", {"password": PASSWORD, "chosen": NEW}).status_code == 302


def test_so_does_the_page_that_asks_before_it_goes_on(signed_in, ada):
    shut(ada)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        form = {"username": "newname", "proof-asked": "1", "proof-password": PASSWORD}
        page = words(copied(signed_in).post("/account/username", form))

    assert "Many wrong passwords were entered for your account" in page
    assert "Email me a link" in page


@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_a_program_that_sends_no_cookie_of_its_device_is_led_to_the_door_that_mails_a_link(ada, password):
    program = Program()
    program.sign_in("ada", PASSWORD)
    del program.cookies["frontdoor_device"]
    shut(ada)

    for answer in (
        program.send("/api/v1/auth/proof", password=password),
        program.send("/api/v1/account", "DELETE", password=password),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "proof")
        assert answer.json()["next"] == "/api/v1/auth/proof/link"


def test_the_right_password_costs_no_statement_more_on_a_known_device(signed_in, ada):
    def asked(client):
        with CaptureQueriesContext(connection) as queries:
            client.post("/account/email", {"email": ada.email, "password": PASSWORD})
        return [query["sql"] for query in queries if "accounts_event" in query["sql"]]

    assert len(asked(copied(signed_in))) == 1
    assert asked(signed_in) == []


def by_link(mailbox, ada, google):
    MagicLink.objects.issue(ada.email)
    Client().post("/confirm", {"token": mailbox.link(ada.email, "/confirm").partition("token=")[2]})


def by_google(mailbox, ada, google):
    ada.google.adopt("7", "ada@gmail.com")
    google.person = Person(sub="7", email="ada@gmail.com")
    client = Client()
    client.get(google.consent(client.post("/google").url))


def by_reset(mailbox, ada, google):
    MagicLink.objects.issue(ada.email, purpose="reset")
    token = mailbox.link(ada.email, "/reset/password").partition("token=")[2]
    Client().post("/reset/password", {"token": token, "password": PASSWORD})


@pytest.mark.parametrize("way", [by_link, by_google, by_reset])
def test_another_way_in_opens_the_door_again(mailbox, ada, google, way):
    shut(ada)
    assert sign_in().status_code == 200

    way(mailbox, ada, google)

    assert sign_in().status_code == 302


def test_a_stranger_who_has_the_password_opens_nothing_without_the_code(ada):
    phone.pair(ada)
    guess(limits.LOGIN_IN_A_ROW - 1)
    sign_in()  # right, and then no code
    guess(1)

    assert sign_in().status_code == 200


# The mail


def told(mailbox, ada):
    return mailbox.kinds(ada.email).count("guessed")


def test_the_owner_is_mailed_after_twenty_in_a_day_and_once_in_that_day(mailbox, ada):
    browser = Client(headers={"User-Agent": FIREFOX})
    guess(limits.LOGIN_TOLD_AFTER - 1, client=browser)
    assert told(mailbox, ada) == 0
    guess(1, client=browser)
    assert told(mailbox, ada) == 1
    guess(50, client=browser)

    assert told(mailbox, ada) == 1
    said = " ".join(mailbox.text(ada.email).split())
    assert "20 wrong passwords were entered for ada" in said
    assert "Firefox on Windows (127.0.0.1)" in said
    assert "sign in with a link from your email" in said
    assert limits.LOGIN_TOLD_AFTER == 20


def test_the_next_day_has_its_own_mail(mailbox, ada):
    start = timezone.now()
    guess(limits.LOGIN_TOLD_AFTER)
    with time_machine.travel(start + timedelta(hours=25)):
        guess(limits.LOGIN_TOLD_AFTER - 1)
        assert told(mailbox, ada) == 1
        guess(1)
        assert told(mailbox, ada) == 2


def test_a_sign_in_of_the_owner_hides_no_guesses_from_the_mail(mailbox, ada):
    guess(limits.LOGIN_TOLD_AFTER - 1)
    sign_in()
    guess(1)

    assert told(mailbox, ada) == 1


def test_guesses_at_an_open_laptop_count_too(mailbox, signed_in, ada, monkeypatch):
    for _ in range(limits.LOGIN_TOLD_AFTER):
        signed_in.post("/account/password", {"password": WRONG, "chosen": NEW})

    assert told(mailbox, ada) == 1


@pytest.mark.parametrize("fields", [{"password": None}, {"is_active": False}])
def test_an_account_that_no_password_opens_is_not_mailed(mailbox, fields):
    grace = UserFactory(username="grace", **fields)
    guess(limits.LOGIN_TOLD_AFTER, "grace")

    assert told(mailbox, grace) == 0


def test_the_mail_ends_all_sessions_and_voids_the_password_on_request(mailbox, ada):
    guess(limits.LOGIN_TOLD_AFTER)
    token = mailbox.link(ada.email, "/not-me").partition("token=")[2]

    assert Client().post("/not-me", {"token": token}).status_code == 200

    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize("tries", [5, 40, 120])
def test_no_number_of_guesses_changes_the_statements_of_the_next_one(ada, tries):
    Event.objects.bulk_create(Event(kind="failed", user=ada) for _ in range(tries))
    if tries >= limits.LOGIN_TOLD_AFTER:
        Event.objects.record(Event.Kind.GUESSED, ada)

    def statements(login):
        with CaptureQueriesContext(connection) as queries:
            sign_in(password=WRONG, login=login)
        return [query["sql"].split(" FROM ")[0][:40] for query in queries]

    assert statements("ada") == statements("nobody")


def test_the_count_is_read_from_its_own_index(ada):
    Event.objects.bulk_create(Event(kind=kind, user=ada) for kind in ("failed", "signed_in") for _ in range(3_000))
    with CaptureQueriesContext(connection) as queries:
        User.objects.with_guesses(username="ada")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_event")
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = cursor.fetchall()

    assert "event_by_guess" in str(plan)
