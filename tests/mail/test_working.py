"""What keeps a worker going while a part is away."""

import logging
import threading

import pytest
from django.db import OperationalError

from mail import working


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(working, "FIRST_PAUSE", 0.001)


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

    working.keep_working(work, stop, (OSError,))

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

    working.keep_working(work, stop, (OSError,))

    assert pauses == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30], rel=0.21)


def test_other_mistakes_end_a_worker():
    def work():
        yield True
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        working.keep_working(work, threading.Event(), (OSError,))
