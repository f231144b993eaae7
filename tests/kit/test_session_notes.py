"""Notes of a session: read until their time is over, and dropped once."""

from datetime import timedelta

import time_machine
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import RequestFactory
from django.utils import timezone

from kit.session_notes import Note

NOTE = Note("parcel", timedelta(minutes=15))


def visit():
    request = RequestFactory().get("/")
    request.session = SessionStore()
    return request


def in_minutes(minutes):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


def test_what_was_kept_is_read_until_its_time_is_over():
    request = visit()
    NOTE.keep(request, colour="green")

    with in_minutes(14):
        assert NOTE.read(request)["colour"] == "green"
    with in_minutes(15.1):
        assert NOTE.read(request) == {}


def test_without_a_note_nothing_is_read():
    request = visit()

    assert NOTE.read(request) == {}
    assert NOTE.drop(request) == {}


def test_a_new_note_forgets_the_older_one_of_its_kind_alone():
    request, other = visit(), Note("letter", timedelta(minutes=15))
    other.keep(request, colour="blue")
    NOTE.keep(request, colour="green", size=2)
    NOTE.keep(request, colour="red")

    assert "size" not in NOTE.read(request)
    assert other.read(request)["colour"] == "blue"


def test_dropping_returns_it_once():
    request = visit()
    NOTE.keep(request, colour="green")

    assert NOTE.drop(request)["colour"] == "green"
    assert NOTE.drop(request) == {}


def test_one_whose_time_is_over_is_dropped_without_a_word():
    request = visit()
    NOTE.keep(request, colour="green")

    with in_minutes(15.1):
        assert NOTE.drop(request) == {}
    assert "parcel" not in request.session
