"""Ending many sessions at once: the cost, and the command end_sessions."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, Session, User
from accounts.models import session as session_module
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def signed_in_as(name):
    client = Client()
    client.post("/login", {"login": name, "password": PASSWORD})
    return client


def add_sessions(user, count):
    later = timezone.now() + timedelta(hours=1)
    Session.objects.bulk_create(
        Session(session_key=f"{user.username[:4]}{n:028d}", session_data="", expire_date=later, user=user)
        for n in range(count)
    )


def without_savepoints(queries):
    return [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]


def test_a_thousand_sessions_end_in_four_statements_and_two_cache_commands(ada, cache_calls):
    add_sessions(ada, 1000)
    cache_calls.clear()

    with CaptureQueriesContext(connection) as queries:
        ada.end_sessions()

    assert len(without_savepoints(queries)) <= 4
    assert len(cache_calls) <= 2
    assert not Session.objects.exists()


def test_more_sessions_than_are_cleaned_up_at_once_end_all_the_same(ada, monkeypatch):
    monkeypatch.setattr(session_module, "ENDED_AT_ONCE", 2)
    clients = [signed_in_as("ada") for _ in range(4)]

    ada.end_sessions()

    assert Session.objects.count() == 2
    assert [client.get("/account").status_code for client in clients] == [302] * 4


def test_signing_in_costs_the_same_with_one_session_and_with_a_thousand(ada):
    counts = []
    for sessions in (0, 1000):
        add_sessions(ada, sessions)
        with CaptureQueriesContext(connection) as queries:
            signed_in_as("ada")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_command_signs_out_the_people_it_names_and_nobody_else(capsys, ada):
    UserFactory(username="grace", email="grace@example.com")
    UserFactory(username="alan")
    clients = {name: signed_in_as(name) for name in ("ada", "grace", "alan")}

    call_command("end_sessions", "--user", "ada", "Grace@Example.com")

    assert "2 sessions of 2 people ended" in capsys.readouterr().out
    assert {name: client.get("/account").status_code for name, client in clients.items()} == {
        "ada": 302,
        "grace": 302,
        "alan": 200,
    }
    assert Event.objects.filter(kind="signed_out").count() == 2


def test_a_person_named_twice_is_counted_once(capsys, ada):
    signed_in_as("ada")

    call_command("end_sessions", "--user", "ada", "Ada@Example.com")

    assert "1 sessions of 1 people ended" in capsys.readouterr().out
    assert Event.objects.filter(kind="signed_out").count() == 1


def test_the_command_signs_everybody_out_in_three_statements(capsys, ada):
    for n in range(3):
        UserFactory(username=f"guest{n}")
    clients = [signed_in_as(name) for name in ("ada", "guest0", "guest1")]
    with CaptureQueriesContext(connection) as queries:
        assert User.objects.all().end_sessions() == 4
    assert len(without_savepoints(queries)) == 3
    assert not any(client.get("/account").status_code == 200 for client in clients)

    call_command("end_sessions", "--all", "--yes-all", "--format", "json")
    assert json.loads(capsys.readouterr().out)["people"] == 4


def test_a_dry_run_ends_nothing(capsys, ada):
    client = signed_in_as("ada")

    call_command("end_sessions", "--all", "--dry-run")

    assert "DRY RUN  1 sessions of 1 people ended" in capsys.readouterr().out
    assert client.get("/account").status_code == 200


def test_signing_everybody_out_without_a_question_takes_yes_all(ada, monkeypatch):
    client = signed_in_as("ada")

    for options, at_terminal in [([], False), (["--no-input"], True)]:
        monkeypatch.setattr("sys.stdin.isatty", lambda at_terminal=at_terminal: at_terminal)
        with pytest.raises(CommandError, match="add --yes-all") as refused:
            call_command("end_sessions", "--all", *options)
        assert refused.value.returncode == 2

    assert client.get("/account").status_code == 200


def test_an_unknown_name_stops_before_anybody_is_signed_out(ada):
    client = signed_in_as("ada")

    with pytest.raises(CommandError, match=r"nobody called nobody, eve\. Nothing was changed") as refused:
        call_command("end_sessions", "--user", "ada", "nobody", "eve")

    assert refused.value.returncode == 2
    assert client.get("/account").status_code == 200
