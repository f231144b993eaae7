"""Promise 6: an ended session stays ended, even if a copy of it reaches Redis later or stays there."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from accounts.models.session import stored_key
from accounts.session.store import SessionStore
from invites.models import MagicLink
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def in_between(monkeypatch):
    """A function that makes something happen right after a method of the session store has run."""

    def arrange(method, happen):
        original = getattr(SessionStore, method)

        def interrupted(self, *args, **kwargs):
            answer = original(self, *args, **kwargs)
            monkeypatch.undo()
            happen()
            return answer

        monkeypatch.setattr(SessionStore, method, interrupted)

    return arrange


def test_a_session_ended_while_a_request_reads_it_stays_ended(signed_in, ada, in_between):
    key = signed_in.cookies["frontdoor_session"].value
    caches["sessions"].clear()
    in_between("decode", ada.end_sessions)  # the row is read, its copy is not yet in Redis

    signed_in.get("/language")  # reads the session for its language, and does not ask whose it is

    assert caches["sessions"].get(Session.cache_key(stored_key(key)))
    assert not Session.objects.filter(session_key=stored_key(key)).exists()
    assert signed_in.get("/account").status_code == 302


def test_a_session_ended_while_redis_misses_it_stays_ended(signed_in, in_between):
    key = signed_in.cookies["frontdoor_session"].value
    breaker = caches["sessions"]._breaker

    def back():
        breaker.retry_at = 0.0

    breaker.retry_at = time.monotonic() + 60
    in_between("clear", back)  # the row is deleted, its copy in Redis is not

    signed_in.post("/logout/here")

    assert caches["sessions"].get(Session.cache_key(stored_key(key)))
    signed_in.cookies["frontdoor_session"] = key
    assert signed_in.get("/account").status_code == 302


def test_a_session_that_begins_while_all_are_ended_has_ended(ada, client, mailbox, in_between):
    """The session's row comes too late to be deleted: the user's epoch alone ends the session."""
    MagicLink.objects.issue(ada.email)
    token = mailbox.link(ada.email, "/confirm").partition("token=")[2]
    in_between("get_expiry_age", ada.end_sessions)  # the session has been stamped, and is not written yet

    client.post("/confirm", {"token": token})

    key = client.cookies["frontdoor_session"].value
    assert Session.objects.filter(session_key=stored_key(key)).exists()
    assert caches["sessions"].get(Session.cache_key(stored_key(key)))
    assert client.get("/account").status_code == 302


def test_a_session_that_goes_on_under_a_new_id_while_all_are_ended_has_ended(ada, signed_in, mailbox, in_between):
    MagicLink.objects.issue(ada.email)
    token = mailbox.link(ada.email, "/confirm").partition("token=")[2]
    in_between("get_expiry_age", ada.end_sessions)

    signed_in.post("/confirm", {"token": token})

    assert not Session.objects.exists()
    assert signed_in.get("/account").status_code == 302


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_session_that_is_prolonged_while_it_is_ended_has_ended(ada, signed_in, in_between, moment):
    there = Client()
    there.post("/login", {"login": "ada", "password": PASSWORD})
    session = Session.objects.get(session_key=stored_key(signed_in.cookies["frontdoor_session"].value))
    with time_machine.travel(timezone.now() + timedelta(hours=11, minutes=30)):
        in_between("load" if moment == "before" else "take_new_key", session.end)

        signed_in.post("/account/sessions/prolong", {"password": PASSWORD})

        assert signed_in.get("/account").status_code == 302
        assert there.get("/account").status_code == 200
