"""A kept connection to PostgreSQL is tested before use only if the server has been silent for a while."""

import time

import psycopg
import pytest
from django.db import connection
from django.db.backends.postgresql import base

from config.failover.postgres.base import FRESH, DatabaseWrapper

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept():
    wrapper = DatabaseWrapper(connection.settings_dict, "kept")
    wrapper.ensure_connection()
    yield wrapper
    wrapper.close()


@pytest.fixture
def asked(monkeypatch):
    """A list that grows by one for each test of a connection that asks the server."""
    questions = []
    original = base.DatabaseWrapper.is_usable
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda self: questions.append(1) or original(self))
    return questions


def test_a_server_that_has_answered_lately_is_not_asked(kept, asked):
    assert kept.is_usable()
    assert asked == []


def test_a_server_that_has_been_silent_for_a_while_is_asked(kept, asked):
    kept.connection.heard_at = time.monotonic() - FRESH - 1

    assert kept.is_usable()
    assert asked == [1]
    assert kept.is_usable()
    assert asked == [1]


@pytest.mark.parametrize("when", ["lately", "a while ago"])
def test_a_connection_that_the_server_has_ended_is_not_used(kept, when):
    pid = kept.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])  # waits until the process is gone
    if when == "a while ago":
        kept.connection.heard_at = time.monotonic() - FRESH - 1

    assert not kept.is_usable()


def test_a_connection_that_we_have_closed_is_not_used(kept):
    kept.connection.close()

    assert not kept.is_usable()


def test_a_lost_connection_is_made_again_before_the_next_statement(kept):
    kept.health_check_enabled, kept.health_check_done = True, False
    pid = kept.connection.info.backend_pid
    with psycopg.connect(kept.connection.info.dsn, password=kept.settings_dict["PASSWORD"]) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with kept.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert kept.connection.info.backend_pid != pid
