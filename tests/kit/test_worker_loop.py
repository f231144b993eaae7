"""Workers go on when a part was away, stop when told to, and hold no lock for ever."""

import logging
import signal
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection

from kit import worker_loop
from outbox.mail.smtp import LONGEST


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(worker_loop, "FIRST_PAUSE", 0.001)


def test_a_part_is_missed_once_however_long_it_is_away_and_welcomed_once(impatient, caplog):
    caplog.set_level(logging.INFO)
    stop, tries = threading.Event(), []

    def work():
        tries.append(len(tries))
        if len(tries) in {1, 2, 3}:
            raise ConnectionRefusedError("nobody there")
        if len(tries) in {4, 5}:
            raise OperationalError("it starts up")
        if len(tries) == 7:
            stop.set()
        yield True
        yield True
        raise ConnectionResetError("gone again")

    worker_loop.keep_working(work, stop, (OSError,))

    assert caplog.messages == [
        "waiting for the broker: ConnectionRefusedError: nobody there",
        "waiting for the database: OperationalError: it starts up",
        "the database is back",
        "waiting for the broker: ConnectionResetError: gone again",
        "the broker is back",
    ]


def test_pauses_grow_to_half_a_minute(monkeypatch):
    stop = threading.Event()
    pauses = []
    monkeypatch.setattr(stop, "wait", pauses.append)

    def work():
        if len(pauses) == 8:
            stop.set()
            return
        yield from ()
        raise OSError

    worker_loop.keep_working(work, stop, (OSError,))

    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30], rel=0.21)


def test_after_half_a_minute_of_work_pauses_begin_small_again(monkeypatch):
    stop = threading.Event()
    now, pauses = [0.0], []
    monkeypatch.setattr(stop, "wait", pauses.append)
    monkeypatch.setattr(worker_loop, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def work():
        if len(pauses) == 5:
            stop.set()
        yield True
        now[0] += 31 if len(pauses) == 3 else 1
        raise OSError

    worker_loop.keep_working(work, stop, (OSError,))

    assert pauses == pytest.approx([0.5, 1, 2, 0.5, 1], rel=0.21)


SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.mark.parametrize("end", [lambda: None, lambda: 1 / 0], ids=["done", "mistake"])
def test_a_signal_stops_the_work_and_is_given_back_however_the_work_ends(end):
    before = [signal.getsignal(number) for number in SIGNALS]

    for number in SIGNALS:
        stop = threading.Event()
        with suppress(ZeroDivisionError), worker_loop.stop_on_signals(stop):
            signal.raise_signal(number)
            end()
        assert stop.is_set()

    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.django_db(transaction=True)
def test_a_worker_holds_locks_and_waits_for_locks_for_a_limited_time():
    """A frozen worker loses its locks, but not before one mail can end; a worker waits for a lock up to 5 seconds."""
    with worker_loop.patient_connection():
        idle, lock = limits()
        assert idle > LONGEST
        assert 0 < lock <= 5

    assert limits() == (0, 0)


def limits():
    """Returns the session's limits for an idle transaction and for a lock, in seconds; 0 is no limit."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
        return tuple(int(milliseconds) / 1000 for (milliseconds,) in cursor.fetchall())


LIMITS = """
SELECT setting FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'lock_timeout') ORDER BY name
"""


def test_other_mistakes_end_a_worker():
    def work():
        yield True
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        worker_loop.keep_working(work, threading.Event(), (OSError,))
