"""How long mail takes, as the pages tell people and /readyz tells the balancer."""

import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outbox.mail import lateness
from outbox.models import OutboxMessage
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NOW = timezone.now()
WORDS = "Emails are taking longer than usual, up to 25 minutes. There’s no need to ask twice."


def put(*, minutes=0, sent=None, to="", **fields):
    """Stores a mail of `minutes` ago, handed over `sent` minutes ago, or waiting; returns it."""
    number = OutboxMessage.objects.count()
    fields |= {"created_at": timezone.now() - timedelta(minutes=minutes)}
    fields |= {"sent_at": timezone.now() - timedelta(minutes=sent)} if sent is not None else {"parts": {"body": "x"}}
    address = to or f"guest{number}@example.com"
    return OutboxMessage.objects.create(recipient=address, kind="invite", message_id=f"<{number}>", **fields)


def about(minutes):
    return pytest.approx(timedelta(minutes=minutes), abs=timedelta(seconds=20))


@pytest.fixture(autouse=True)
def fresh_watch(monkeypatch):
    """Gives each test a new Watch, so that its first page measures, as in a process that has just started."""
    monkeypatch.setattr(lateness, "watch", lateness.Watch())


@pytest.fixture
def late():
    put(minutes=30, sent=29)
    put(minutes=21)


@pytest.fixture
def turn(monkeypatch):
    """A function that turns the clock of the measurements on by some seconds."""
    turned = [1000.0]
    monkeypatch.setattr("outbox.mail.lateness.time.monotonic", lambda: turned[0])

    def by(seconds):
        turned[0] += seconds

    return by


REFUSED = {"attempts": 7, "last_answer": "ConnectionRefusedError: [Errno 111] Connection refused"}
PUT_OFF = {"attempts": 7, "last_answer": "450 4.2.0 Greylisted"}


def test_mail_is_not_late_where_there_is_none_or_all_is_handed_over():
    assert lateness.measure() == timedelta(0)
    put(minutes=60, sent=1)
    assert lateness.measure() == timedelta(0)


def test_mail_is_as_late_as_the_oldest_that_nobody_has_tried():
    put(minutes=60, sent=59)
    put(minutes=21)
    put(minutes=7)

    assert lateness.measure() == about(21)


def test_a_worker_that_was_never_there_makes_mail_late():
    put(minutes=12)

    assert lateness.measure() == about(12)


def test_a_long_list_makes_mail_late_when_its_end_waits_long():
    for _ in range(12):
        put(minutes=18, sent=1)
    put(minutes=18)

    assert lateness.measure() == about(18)


def test_what_a_broker_was_named_is_as_old_as_it_is():
    put(minutes=18, published_at=NOW, next_try_at=NOW + timedelta(minutes=5))

    assert lateness.measure() == about(18)


def test_a_mail_server_that_is_away_makes_mail_late_until_it_takes_some():
    put(minutes=60, sent=30)
    put(minutes=40, **REFUSED)  # stored before a mail was last taken, so it does not count
    put(minutes=20, **REFUSED)
    assert lateness.measure() == about(20)

    put(minutes=1, sent=0)
    assert lateness.measure() == timedelta(0)


def test_a_mail_server_that_puts_everybody_off_makes_mail_late():
    for n in range(3):
        put(minutes=20 - n, to=f"ada@{n}.example", **PUT_OFF)

    assert lateness.measure() == about(20)


def test_a_stranger_cannot_make_mail_late_with_an_address_that_puts_it_off():
    put(minutes=300, sent=299)
    for n in range(120):
        put(minutes=20, to=f"{n}@stranger.example", **PUT_OFF)

    assert lateness.measure() == timedelta(0)


@pytest.mark.parametrize("over", ["sent_at", "given_up_at"])
def test_what_is_handed_over_and_what_is_given_up_at_once_make_no_difference(over):
    for n in range(3):
        put(minutes=20, to=f"ada@{n}.example", **PUT_OFF)

    put(**{over: timezone.now()})

    assert lateness.measure() == timedelta(0)


def test_what_was_given_up_makes_nothing_late():
    put(minutes=60, given_up_at=NOW)

    assert lateness.measure() == timedelta(0)


@pytest.mark.parametrize("attempts", [0, 3])
@pytest.mark.parametrize("waiting", [3, 20_000])
def test_no_look_reads_a_whole_outbox(waiting, attempts):
    with connection.cursor() as cursor:
        cursor.execute(FILL, [attempts, waiting])
        cursor.execute("ANALYZE outbox_outboxmessage")
        with CaptureQueriesContext(connection) as queries:
            assert lateness.measure() == about(40)
        plans = []
        for query in queries:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            plans.append(cursor.fetchone()[0][0]["Plan"])

    assert len(queries) <= 2
    assert not [plan for plan in plans if "Seq Scan" in json.dumps(plan)]
    read = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for plan in plans for node in nodes(plan)]
    assert max(read) <= lateness.LOOKED_AT


FILL = """
INSERT INTO outbox_outboxmessage
    (recipient, kind, parts, message_id, created_at, attempts, next_try_at, give_up_at, sent_at, last_answer)
SELECT 'guest' || n || '@example.com', 'invite', '{}', n, now() - interval '40 minutes', %s, now(), now(),
    CASE WHEN n <= 20000 THEN now() - interval '1 hour' END, ''
FROM generate_series(1, 20000 + %s) AS n
"""


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


@pytest.mark.parametrize("path", ["/", "/invite/sent"])
def test_people_are_told_that_mail_is_late_and_for_how_long(late, client, path):
    page = client.get(path)

    assert WORDS in words(page)
    assert '<p class="note warn" role="status"><span>Emails are' in page.text


@pytest.mark.parametrize("path", ["/", "/invite/sent"])
def test_nobody_is_told_while_mail_is_quick_enough(client, path):
    put(minutes=4.9)

    assert "longer than usual" not in words(client.get(path))


def test_minutes_are_rounded_up(subtests):
    for minutes, said in ((5.1, 10), (10, 10), (10.1, 15), (59, 60), (61, 120), (180, 180)):
        with subtests.test(minutes=minutes):
            assert lateness.round_up(timedelta(minutes=minutes)) == said


def test_a_process_looks_once_in_half_a_minute(late, client, turn, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get("/")
    OutboxMessage.objects.all().delete()
    turn(29)
    with django_assert_num_queries(0):
        assert WORDS in words(client.get("/"))
        assert WORDS in words(Client().get("/invite/sent"))
    turn(2)
    with django_assert_num_queries(1):
        assert "longer than usual" not in words(client.get("/"))


def test_a_page_does_not_wait_for_the_look_of_another(late, turn):
    asked = []
    measure = lateness.measure

    def slow():
        asked.append(lateness.minutes())
        return measure()

    with patch("outbox.mail.lateness.measure", slow):
        assert lateness.minutes() == 25
    assert asked == [0]


def test_without_a_database_there_is_no_banner_and_nobody_asks_again_at_once(late, client, turn):
    away = patch("outbox.mail.lateness.measure", side_effect=OperationalError("away"))
    with away as measure:
        assert "longer than usual" not in words(client.get("/"))
        turn(29)
        assert "longer than usual" not in words(client.get("/"))
        assert measure.call_count == 1
    turn(2)

    assert WORDS in words(client.get("/"))


def test_ready_while_mail_is_late_and_says_so(late, client):
    page = client.get("/readyz")

    assert page.status_code == 200
    assert page.json() == {"database": True, "cache": True, "mail": False, "hashes": 0}


def test_ready_and_mail_is_quick(client):
    assert client.get("/readyz").json() == {"database": True, "cache": True, "mail": True, "hashes": 0}


def test_ready_says_that_mail_is_late_where_nobody_can_tell(client):
    with patch("outbox.mail.lateness.measure", side_effect=OperationalError("no such table")):
        page = client.get("/readyz")

    assert page.status_code == 200
    assert page.json()["mail"] is False
