"""Ending many sessions at once: the cost, and the command end_sessions."""

import contextlib
import json
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.forms import model_to_dict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, Session, Superseded, User
from accounts.models import session as session_module
from outbox.models import OutboxEvent, Webhook, WebhookDelivery
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program

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


# The one statement that ends all sessions of an account, and the one that ends a single session.
ENDED = ["UPDATE accounts_user", "DELETE FROM accounts_session"]
TOLD = ["INSERT INTO outbox_outboxevent", "INSERT INTO outbox_webhookdelivery"]
RECORDED = ["INSERT INTO accounts_event"]
# The logins in apps that end with sessions, the calls by which apps hear of it, and the tokens that go.
APPS = ["UPDATE sso_login", "INSERT INTO sso_logoutcall", "DELETE FROM sso_bound", "DELETE FROM allauth_idp_oidc_token"]
WRITE = re.compile(r'(UPDATE|INSERT INTO|DELETE FROM) "?(\w+)"?')


def shapes(queries):
    """Returns the writes of each statement, and "" for one that only reads."""
    sql = [query["sql"] for query in queries if not re.match("BEGIN|COMMIT|SAVEPOINT|RELEASE", query["sql"])]
    return [[f"{verb} {table}" for verb, table in WRITE.findall(one)] for one in sql]


@pytest.mark.parametrize("number", [1, 100, 1000])
@pytest.mark.parametrize("door", ["page", "JSON"])
def test_signing_out_everywhere_takes_three_statements_and_four_round_trips(ada, signed_in, cache_calls, door, number):
    add_sessions(ada, number - 1)
    program = Program()
    program.cookies = signed_in.cookies
    program.look()
    press = {"page": lambda: signed_in.post("/logout"), "JSON": lambda: program.send("/api/v1/auth/logout")}[door]
    cache_calls.clear()

    with CaptureQueriesContext(connection) as queries:
        assert press().status_code in {200, 302}

    assert shapes(queries) == [
        [],  # who is asking
        [ENDED[0], *RECORDED, ENDED[1], *TOLD, *APPS],
        [ENDED[1], *TOLD, *APPS],  # this session, for which ENDED_AT_ONCE newer ones may have left no room
    ]
    assert cache_calls == ["get", "add", "delete_many", "delete"]
    assert not Session.objects.exists()


DOORS = {
    "another": (lambda client, ids: client.post("/account/sessions/end", {"session": ids[1]}), 3),
    "this one": (lambda client, ids: client.post("/account/sessions/end", {"session": ids[0]}), 4),
    "this one by signing out": (lambda client, _ids: client.post("/logout/here"), 2),
    "another in JSON": (lambda client, ids: client.delete(f"/api/v1/auth/sessions/{ids[1]}"), 3),
    "this one in JSON": (lambda client, ids: client.delete(f"/api/v1/auth/sessions/{ids[0]}"), 4),
}


@pytest.mark.parametrize("number", [1, 100])
@pytest.mark.parametrize("door", DOORS)
def test_ending_one_session_takes_at_most_four_statements_among_however_many(ada, signed_in, door, number):
    signed_in_as("ada")
    add_sessions(ada, number)
    ids = list(ada.sessions.exclude(handle="").order_by("created_at").values_list("handle", flat=True))
    press, most = DOORS[door]

    with CaptureQueriesContext(connection) as queries:
        assert press(signed_in, ids).status_code in {200, 302}

    assert len(shapes(queries)) == most
    assert Session.objects.count() == number + 1


@pytest.mark.parametrize("number", [1, 40])
def test_the_desk_ends_the_sessions_of_however_many_people_in_four_statements(number):
    for n in range(number):
        add_sessions(UserFactory(username=f"g{n:03d}"), 3)

    with CaptureQueriesContext(connection) as queries:
        assert User.objects.all().sign_out(by="staff") == 3 * number

    assert shapes(queries) == [[ENDED[0], *TOLD, *APPS], [], RECORDED, [ENDED[1]]]


def everything():
    """Returns all that ending sessions writes, without times and without the ids that the rows are given."""
    sent = ("message_id", "name", "payload", "created_at")
    events, deliveries = (list(model.objects.values(*sent)) for model in (OutboxEvent, WebhookDelivery))
    for copies in (events, deliveries):
        for row in copies:
            assert row.pop("message_id")
            assert timezone.now() - row.pop("created_at") < timedelta(minutes=1)
    history = [model_to_dict(event, exclude=["at"]) for event in Event.objects.all()]
    return list(User.objects.order_by("pk").values()), list(Session.objects.values()), history, events, deliveries


@pytest.mark.parametrize("epoch", [0, 7])
@pytest.mark.parametrize("broker", ["", "amqp://localhost"])
@pytest.mark.parametrize("number", [0, 1, 5])
def test_one_statement_writes_what_the_verbs_for_many_people_write(ada, settings, number, broker, epoch):
    settings.AMQP_URL = broker
    Webhook.objects.create(url="https://billing.example/")
    Webhook.objects.create(url="https://mail.example/", events=["user.created"])
    User.objects.update(session_epoch=epoch)
    ada.refresh_from_db()
    add_sessions(ada, number)
    add_sessions(UserFactory(username="grace"), 2)
    Session.objects.filter(session_key__endswith="0").update(expire_date=timezone.now() - timedelta(hours=1))
    verbs = [
        (lambda: ada.sign_out(by="staff"), lambda: User.objects.filter(pk=ada.pk).sign_out(by="staff")),
        (ada.end_sessions, lambda: User.objects.filter(pk=ada.pk).end_sessions()),
    ]
    for pair in verbs:
        written = []
        for verb in pair:
            with contextlib.suppress(ZeroDivisionError), transaction.atomic():
                verb()
                written.append(everything())
                raise ZeroDivisionError

        assert written[0] == written[1]
        assert len(written[0][1]) == 2  # those of Grace
        assert ada.session_epoch == epoch + 1


def test_sessions_of_an_account_that_is_deleted_meanwhile_end_without_a_trace(ada, settings):
    settings.AMQP_URL = "amqp://localhost"
    late = User.objects.get()
    ada.delete()
    told = OutboxEvent.objects.count()

    for verb in (late.sign_out, late.end_sessions):
        with pytest.raises(Superseded):
            verb()

    assert OutboxEvent.objects.count() == told
    assert not Event.objects.filter(kind="signed_out").exists()


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

    assert "1 session of 1 person ended" in capsys.readouterr().out
    assert Event.objects.filter(kind="signed_out").count() == 1


def test_the_command_signs_everybody_out_in_two_statements(capsys, ada):
    for n in range(3):
        UserFactory(username=f"guest{n}")
    clients = [signed_in_as(name) for name in ("ada", "guest0", "guest1")]
    with CaptureQueriesContext(connection) as queries:
        assert User.objects.all().end_sessions() == 4
    assert len(without_savepoints(queries)) == 2
    assert not any(client.get("/account").status_code == 200 for client in clients)

    call_command("end_sessions", "--all", "--yes-all", "--format", "json")
    assert json.loads(capsys.readouterr().out)["people"] == 4


def test_a_dry_run_ends_nothing(capsys, ada):
    client = signed_in_as("ada")

    call_command("end_sessions", "--all", "--dry-run")

    assert "DRY RUN  1 session of 1 person ended" in capsys.readouterr().out
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
