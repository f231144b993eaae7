"""Webhooks: events are posted over HTTP, signed, and posted again until the receiver has them."""

import base64
import hashlib
import hmac
import json
import os
import re
import threading
from contextlib import ExitStack
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.http import http_date

from kit.worker_loop import Worker
from outbox.management.commands import deliver_webhooks
from outbox.models import OutboxEvent, Webhook, WebhookDelivery
from outbox.webhooks import sending
from outbox.webhooks.deliver import Deliverer, deliver_due
from tests.tools import receiver as receivers
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

NAMES = {"id", "event", "occurred_at"}


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(monkeypatch):
    monkeypatch.setattr("outbox.webhooks.deliver.SLOW", timedelta(minutes=1))  # the machine may be busy
    with receivers.Receiver().listening() as receiver:
        yield receiver


def hook(url, **fields):
    webhook = Webhook(url=url, **fields)
    webhook.known = webhook.make_secret()
    webhook.save()
    return webhook


def happen(*users):
    for user in users or ["0196"]:
        OutboxEvent.objects.announce("user.deleted", user=user)


def told(receiver):
    """Returns the users whose events a receiver got, in order."""
    return [json.loads(call.body)["user"] for call in receiver.told]


def later(**difference):
    return time_machine.travel(timezone.now() + timedelta(**difference))


def signs(secret, call):
    """Returns whether a call is signed by this secret, by the rules of Standard Webhooks."""
    headers = call.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + call.body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")


def documented_check():
    """Returns the function of docs/events.md by which a receiver verifies a call."""
    page = (Path(__file__).parents[2] / "docs/events.md").read_text()
    names = {}
    exec(re.search(r"```python\n(import base64.*?)```", page, re.DOTALL)[1], names)  # noqa: S102
    return names["verified"]


def test_a_webhook_is_told_what_the_broker_is_told_and_can_prove_it(receiver, settings):
    settings.AMQP_URL = "amqp://localhost"
    webhook = hook(receiver.url("/hook?key=1"))
    ada = UserFactory(username="ada", email="ada@example.com")

    call_command("deliver_webhooks", "--once")

    [call], event = receiver.told, OutboxEvent.objects.get()
    assert call.path == "/hook?key=1"
    assert call.body == event.as_json()
    assert json.loads(call.body).keys() == NAMES | {"user", "username", "name", "email", "groups"}
    assert json.loads(call.body)["user"] == str(ada.pk)
    assert call.headers["webhook-id"] == str(event.message_id)
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert call.headers["content-type"] == "application/json"
    assert "testserver" in call.headers["user-agent"]
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", webhook.known)
    assert signs(webhook.known, call)
    assert documented_check()(webhook.known, call.headers, call.body)["id"] == str(event.message_id)
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.last_answer, row.payload) == ("delivered", 1, "200 OK", {})


def test_what_did_not_come_from_the_site_does_not_verify(receiver):
    webhook, verified = hook(receiver.url()), documented_check()
    happen()
    deliver_due()
    [call] = receiver.told
    other, headers = "whsec_" + base64.b64encode(bytes(32)).decode(), call.headers

    for secret, told, body in [
        (webhook.known, headers, call.body.replace(b"0196", b"0197")),
        (webhook.known, headers | {"webhook-id": "another"}, call.body),
        (webhook.known, headers | {"webhook-timestamp": "1"}, call.body),
        (other, headers, call.body),
        (webhook.known, headers | {"webhook-signature": "v1,é"}, call.body),
        (webhook.known, headers | {"webhook-signature": ""}, call.body),
    ]:
        with pytest.raises(ValueError, match="not from the site"):
            verified(secret, told, body)
    with pytest.raises(ValueError, match="invalid literal"):
        verified(webhook.known, {}, call.body)
    with pytest.raises(ValueError, match="not from the site"), later(minutes=6):
        verified(webhook.known, headers, call.body)


def test_a_slow_receiver_rests_after_each_event_so_that_others_have_their_turn(receiver, monkeypatch):
    slow = hook(receiver.url())
    monkeypatch.setattr("outbox.webhooks.deliver.SLOW", timedelta(0))
    happen()
    happen()

    deliver_due()

    slow.refresh_from_db()
    assert len(receiver.told) == 1
    assert slow.paused_until is not None
    with later(seconds=60):
        deliver_due()
    assert len(receiver.told) == 2


def test_webhooks_hear_of_the_events_they_want_while_they_are_on():
    every, some, other = hook("https://a.example/"), hook("https://b.example/", events=["user.deleted"]), "user.created"
    hook("https://c.example/", events=[other])
    hook("https://d.example/", is_active=False)

    happen()

    rows = WebhookDelivery.objects.all()
    assert sorted(row.webhook_id for row in rows) == [every.pk, some.pk]
    assert len({row.message_id for row in rows}) == 1
    assert not OutboxEvent.objects.exists()  # without a broker, nobody would take such a row


def test_many_events_are_stored_in_one_statement_and_each_has_its_id(django_assert_num_queries, settings):
    settings.AMQP_URL = "amqp://localhost"
    webhooks = [hook(f"https://{n}.example/") for n in range(2)]
    people = [UserFactory() for _ in range(3)]
    everybody = type(people[0]).objects.all()
    for rows in (OutboxEvent.objects.all(), WebhookDelivery.objects.all()):
        rows.delete()

    with django_assert_num_queries(1):
        OutboxEvent.objects.announce_each("session.revoked", everybody, user="pk")

    kept = {event.message_id: event.payload for event in OutboxEvent.objects.all()}
    assert sorted(payload["user"] for payload in kept.values()) == sorted(str(person.pk) for person in people)
    for webhook in webhooks:
        assert {row.message_id: row.payload for row in webhook.deliveries.all()} == kept


def test_no_events_are_stored_without_a_statement(django_assert_num_queries):
    hook("https://a.example/")

    with django_assert_num_queries(0):
        OutboxEvent.objects.announce_many([])


def test_nothing_is_told_of_what_was_undone():
    hook("https://a.example/")

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        UserFactory()
        assert WebhookDelivery.objects.count() == 1
        raise ZeroDivisionError

    assert not WebhookDelivery.objects.exists()


def test_two_secrets_sign_for_a_day_after_a_change(receiver):
    webhook = hook(receiver.url())
    new = webhook.renew_secret(webhook.secret_made_at)
    happen()
    deliver_due()
    with later(hours=25):
        happen()
        deliver_due()
        call_command("prune", verbosity=0)

    first, second = receiver.told
    assert [signs(secret, first) for secret in (new, webhook.known)] == [True, True]
    assert documented_check()(webhook.known, first.headers, first.body)
    assert [signs(secret, second) for secret in (new, webhook.known)] == [True, False]
    assert Webhook.objects.get().former_secret == ""


def test_what_is_refused_is_tried_again_ever_later_and_given_up_after_three_days(receiver):
    webhook, receiver.status = hook(receiver.url()), 500
    with time_machine.travel(timezone.now(), tick=False) as clock:
        happen()
        pauses = []
        for _ in range(3):
            deliver_due()
            row = WebhookDelivery.objects.get()
            pauses.append((row.next_try_at - timezone.now()).total_seconds())
            clock.move_to(row.next_try_at)
        assert pauses == [pytest.approx(seconds, rel=0.21) for seconds in (10, 20, 40)]
        assert (row.status, row.last_answer) == ("tried", "500 Internal Server Error")
        clock.move_to(row.give_up_at)
        deliver_due()
        assert WebhookDelivery.objects.get().status == "given_up"

        assert webhook.deliveries.retry() == 1
        receiver.status = 204
        deliver_due()
    assert told(receiver) == ["0196"] * 5
    assert len({call.headers["webhook-id"] for call in receiver.told}) == 1
    assert WebhookDelivery.objects.get().status == "delivered"


def test_what_is_given_up_is_emptied_after_a_week_and_deleted_after_a_month():
    webhook = hook("https://a.example/", is_active=False)
    webhook.deliveries.create(name="user.deleted", payload={"user": 1})

    for days, left in ((2, (None, 1)), (4, (True, 1)), (12, (True, 0)), (40, None)):
        with later(days=days):
            call_command("prune", verbosity=0)
            row = WebhookDelivery.objects.first()
            assert (row and (row.given_up_at and True, len(row.payload))) == left
            if days == 12:
                assert webhook.deliveries.retry() == 0


def test_one_refused_event_does_not_hold_up_the_others(receiver):
    hook(receiver.url())
    receiver.answers = lambda call: 422 if b'"bad"' in call.body else 200
    happen("bad", "good", "fine")

    deliver_due()

    assert told(receiver) == ["bad", "good", "fine"]
    assert WebhookDelivery.objects.waiting().count() == 1


@pytest.mark.parametrize("status", [307, 503, None])
def test_who_is_away_is_tried_once_in_half_a_minute_and_others_do_not_wait(receiver, closed_port, status):
    with receivers.Receiver().listening() as away, time_machine.travel(timezone.now(), tick=False) as clock:
        away.status, away.headers = status, {"Location": receiver.url("/elsewhere")}
        hook(away.url() if status else "http://{}:{}/".format(*closed_port))
        hook(receiver.url())
        happen(1, 2, 3)

        deliver_due()
        assert told(receiver) == [1, 2, 3]
        assert WebhookDelivery.objects.filter(attempts=1, delivered_at=None).count() == 1
        clock.shift(29)
        deliver_due()
        assert len(away.told) == (1 if status else 0)
        clock.shift(2)
        deliver_due()
        assert sum(WebhookDelivery.objects.filter(delivered_at=None).values_list("attempts", flat=True)) == 2

        if status:
            away.status = 200
            clock.shift(60)
            deliver_due()
            assert sorted({*told(away)}) == [1, 2, 3]
            assert not WebhookDelivery.objects.waiting()
    assert all(call.path == "/hook" for call in receiver.told)


@pytest.mark.parametrize(
    ("asked", "seconds"), [("3600", 3600), ("DATE", 3600), ("99999999999", 86400), ("5", 30), ("soon", 30), ("-7", 30)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_gets_it_up_to_a_day(receiver, status, asked, seconds):
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False) as clock:
        receiver.status = status
        receiver.headers = {"Retry-After": http_date(timezone.now().timestamp() + 3600) if asked == "DATE" else asked}
        hook(receiver.url())
        happen(1, 2)

        deliver_due()
        clock.shift(seconds - 1)
        deliver_due()
        assert told(receiver) == [1]
        receiver.status = 200
        clock.shift(2)
        deliver_due()
        clock.shift(60)
        deliver_due()
    assert sorted(told(receiver)) == [1, 1, 2]


def test_an_event_that_is_to_come_later_holds_up_no_other(receiver):
    receiver.answers, receiver.headers = (lambda call: 409 if b'"bad"' in call.body else 200), {"Retry-After": "600"}
    with time_machine.travel(timezone.now(), tick=False):
        hook(receiver.url())
        happen("bad", "good")
        deliver_due()
        wait = WebhookDelivery.objects.waiting().get().next_try_at - timezone.now()

    assert told(receiver) == ["bad", "good"]
    assert wait == timedelta(seconds=600)


def test_only_one_worker_calls_a_receiver_that_was_away():
    hook("https://a.example/").pause()
    first, second = Webhook.objects.get(), Webhook.objects.get()
    assert not first.is_mine_to_call()

    with later(seconds=31):
        assert [first.is_mine_to_call(), second.is_mine_to_call()] == [True, False]


@pytest.mark.parametrize("kind", ["drip", "flood", "hang", "close", "babble"])
def test_no_server_holds_a_worker_longer_than_one_call_may_take(receiver, monkeypatch, kind):
    monkeypatch.setattr(sending, "LONGEST", 0.5)
    with receivers.trouble(getattr(receivers, kind)) as url:
        hook(url)
        happen(1)
        deliver_due()
    monkeypatch.undo()

    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts) == ("tried", 1)
    said = {"drip": "took too long|timed out", "flood": "no end|took too long|timed out", "hang": "timed out"}
    assert re.search(said.get(kind, "RemoteDisconnected|ConnectionReset|BadStatusLine"), row.last_answer)
    assert sending.LONGEST == 10


def test_a_worker_that_dies_after_the_answer_tells_it_again_under_the_same_id(receiver):
    hook(receiver.url())
    happen()
    with patch.object(WebhookDelivery, "mark_delivered", side_effect=SystemExit), pytest.raises(SystemExit):
        deliver_due()

    deliver_due()
    deliver_due()

    first, second = receiver.told
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert WebhookDelivery.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_tell_the_same_and_none_waits(receiver):
    hook(receiver.url())
    happen(1, 2)
    with psycopg.connect(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"]) as other:
        other.execute("SELECT FROM outbox_webhookdelivery WHERE payload @> '{\"user\": 1}' FOR UPDATE")

        deliver_due()

        assert told(receiver) == [2]
    deliver_due()
    assert told(receiver) == [2, 1]
    connection.close()


def test_a_database_that_ends_the_session_counts_the_try(receiver):
    hook(receiver.url())
    happen()
    lost = patch.object(WebhookDelivery, "mark_delivered", side_effect=OperationalError("terminating connection"))
    with lost, patch("outbox.mail.deliver.connection.close"), pytest.raises(OperationalError):
        Deliverer().next()

    assert WebhookDelivery.objects.get().attempts == 1
    assert not Deliverer().next()


def test_without_a_database_it_says_try_later():
    away = patch("outbox.webhooks.deliver.Deliverer.next", side_effect=OperationalError("gone"))

    with away, pytest.raises(CommandError, match="The database does not answer") as stopped:
        call_command("deliver_webhooks", "--once")

    assert stopped.value.returncode == 4


class Broken(Worker):
    """A worker of another room that goes wrong at once."""

    def next(self):
        raise ZeroDivisionError

    def rest(self):
        pass


def test_a_worker_alongside_that_goes_wrong_ends_the_process_for_all(monkeypatch):
    monkeypatch.setattr("outbox.management.commands.deliver_webhooks.WORKERS", [Broken])

    with pytest.raises(ZeroDivisionError):
        deliver_webhooks.Command().work(threading.Event())


def test_who_says_that_it_is_gone_is_not_called_again(receiver):
    hook(receiver.url())
    receiver.status = 410
    happen(1, 2)

    deliver_due()
    happen(3)

    assert told(receiver) == [1]
    assert not Webhook.objects.get().is_active
    assert [row.status for row in WebhookDelivery.objects.order_by("id")] == ["given_up", "queued"]


def test_proxies_of_the_environment_are_not_asked(receiver, monkeypatch):
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    hook(receiver.url())
    happen()

    deliver_due()

    assert told(receiver) == ["0196"]


def test_who_leaves_is_forgotten_by_what_nobody_has_heard(receiver):
    webhook = hook(receiver.url())
    ada, grace = UserFactory(username="ada"), UserFactory(username="grace")
    webhook.deliveries.filter(payload__username="ada").get().give_up("500 no")

    gone = str(ada.pk)

    ada.delete()

    left = [(row.name, row.payload["user"]) for row in webhook.deliveries.order_by("id")]
    assert left == [("user.created", str(grace.pk)), ("session.revoked", gone), ("user.deleted", gone)]


def test_a_secret_is_encrypted_and_moves_to_the_new_key(receiver, settings, capsys, caplog):
    caplog.set_level("DEBUG")
    old, new = "an old key " * 9, "a new key " * 9
    settings.ENCRYPTION_KEYS = [old]
    webhook = hook(receiver.url())
    newer = webhook.renew_secret(webhook.secret_made_at)
    assert not {webhook.known, newer} & set(Webhook.objects.values_list("secret", "former_secret").get())

    settings.ENCRYPTION_KEYS = [new, old]
    call_command("rotate_secrets")
    assert "1 secrets encrypted" in capsys.readouterr().out
    settings.ENCRYPTION_KEYS = [new]
    happen()
    deliver_due()
    assert [signs(secret, receiver.told[0]) for secret in (newer, webhook.known)] == [True, True]
    written = caplog.text + capsys.readouterr().out
    assert "delivered" in written
    secrets = [webhook.known, newer, receiver.told[0].headers["webhook-signature"].split()[0], "/hook"]
    assert not [secret for secret in secrets if secret in written]

    settings.ENCRYPTION_KEYS = ["a third key " * 9]
    with pytest.raises(CommandError, match="1 secrets could not be read"):
        call_command("rotate_secrets")


def test_a_secret_that_cannot_be_read_holds_up_nobody_else_and_a_new_one_mends_it(receiver):
    with receivers.Receiver().listening() as other:
        broken = hook(other.url())
        Webhook.objects.update(secret="nonsense")
        hook(receiver.url())
        happen()

        deliver_due()
        assert told(receiver) == ["0196"]
        assert broken.deliveries.get().last_answer.startswith("Unreadable")

        new = broken.renew_secret(broken.secret_made_at)
        with later(minutes=1):
            deliver_due()
        assert signs(new, other.told[0])


def test_webhooks_take_turns(receiver):
    with ExitStack() as stack:
        other = stack.enter_context(receivers.Receiver().listening())
        hook(receiver.url())
        hook(other.url())
        happen(1, 2)
        worker = Deliverer()
        heard = []
        while worker.next():
            heard.append((len(receiver.told), len(other.told)))

    assert sorted(map(sum, heard)) == [1, 2, 3, 4]
    assert heard[1] == (1, 1)


def test_what_a_deleted_webhook_left_is_pruned(receiver):
    happen()
    webhook = hook(receiver.url())
    happen(1)
    # This leaves its delivery behind, as when an event is stored while staff delete the webhook.
    Webhook.objects.filter(pk=webhook.pk)._raw_delete("default")

    deliver_due()
    call_command("prune", verbosity=0)

    assert receiver.told == []
    assert not WebhookDelivery.objects.exists()
