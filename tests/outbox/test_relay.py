"""The relay names each waiting row to RabbitMQ; PostgreSQL stays the truth."""

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from unittest.mock import patch

import pika
import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from invites.models import MagicLink
from outbox.broker import amqp
from outbox.models import OutboxEvent, OutboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FULL = {"durable": True, "arguments": amqp.QUORUM | {"x-max-length": 1, "x-overflow": "reject-publish"}}


@pytest.fixture
def channel(broker):
    """A channel to the broker, as another service has it."""
    with closing(pika.BlockingConnection(pika.URLParameters(broker.url))) as connection:
        yield connection.channel()


def relay():
    call_command("relay_mail", "--once")


def later(**difference):
    return time_machine.travel(timezone.now() + timedelta(**difference))


def test_a_message_names_the_row_and_nothing_else(client, channel):
    client.post("/", {"email": "grace@example.com"})

    relay()

    _, properties, body = channel.basic_get(amqp.MAIL)
    assert body == str(OutboxMessage.objects.get().pk).encode()
    assert (properties.headers or {}).keys() <= {"x-delivery-count"}  # the broker itself adds this header
    assert properties.delivery_mode == 2


def test_a_mail_is_published_once(broker):
    MagicLink.objects.issue("grace@example.com")
    relay()

    relay()

    assert amqp.depths() == {"ready": 1, "dead": 0}


def test_a_mail_that_nothing_came_of_is_published_again(channel):
    MagicLink.objects.issue("grace@example.com")
    relay()
    channel.queue_purge(amqp.MAIL)

    with later(seconds=299):
        relay()
        assert amqp.depths()["ready"] == 0
    with later(seconds=301):
        relay()
        assert amqp.depths()["ready"] == 1


def test_a_broker_whose_queue_nobody_empties_is_named_no_more_than_it_can_keep(broker, monkeypatch):
    monkeypatch.setattr(amqp, "MOST_READY", 3)
    for n in range(4):
        MagicLink.objects.issue(f"guest{n}@example.com")
    relay()
    assert amqp.depths()["ready"] == 4

    with later(seconds=301):
        relay()
    assert amqp.depths()["ready"] == 4
    with later(seconds=602):
        MagicLink.objects.issue("grace@example.com")  # mail that was never published is published
        relay()
    assert amqp.depths()["ready"] == 5


@pytest.mark.parametrize(("name", "seconds"), [("deliver_mail", 60), ("relay_mail", 10), ("queue", 10)])
def test_a_frozen_broker_is_left_sooner_by_commands_that_deliver_no_mail(settings, name, seconds):
    settings.AMQP_URL = "amqp://localhost/"
    assert amqp.parameters(name).heartbeat == seconds

    settings.AMQP_URL = "amqp://localhost/?heartbeat=33"
    assert amqp.parameters(name).heartbeat == 33


def test_a_mail_that_has_left_is_not_published(broker):
    MagicLink.objects.issue("grace@example.com")
    relay()
    OutboxMessage.objects.get().mark_sent()

    with later(days=1):
        relay()

    assert amqp.depths()["ready"] == 1


def test_a_broker_without_our_queue_has_not_taken_the_mail(broker, monkeypatch):
    monkeypatch.setattr(amqp, "declare", lambda _channel: None)
    MagicLink.objects.issue("grace@example.com")

    with pytest.raises(CommandError, match="all that it has not taken waits"):
        relay()

    assert OutboxMessage.objects.get().published_at is None


def test_a_mail_that_the_broker_refuses_waits(broker, monkeypatch):
    monkeypatch.setattr(amqp, "declare", lambda channel: channel.queue_declare(amqp.MAIL, **FULL))
    for n in range(5):
        MagicLink.objects.issue(f"guest{n}@example.com")

    with pytest.raises(CommandError):
        relay()

    assert amqp.depths()["ready"] == OutboxMessage.objects.exclude(published_at=None).count() < 5


def test_an_event_reaches_whoever_listens_and_is_forgotten_here(channel):
    amqp.declare(channel)
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, amqp.EVENTS, "user.*")
    with time_machine.travel("2026-11-21T10:00:00.5Z", tick=False):
        OutboxEvent.objects.announce("user.created", user="0196")
    OutboxEvent.objects.announce("invite.accepted", invite="0197")

    relay()

    event = OutboxEvent.objects.first()
    method, properties, body = channel.basic_get(queue)
    assert json.loads(body) == {
        "id": str(event.message_id),
        "event": "user.created",
        "occurred_at": "2026-11-21T10:00:00.500Z",
        "user": "0196",
    }
    assert (method.exchange, method.routing_key) == ("frontdoor.events", "user.created")
    assert (properties.message_id, properties.type) == (str(event.message_id), "user.created")
    assert (properties.content_type, properties.delivery_mode) == ("application/json", 2)
    assert properties.timestamp == 1795255200
    assert channel.basic_get(queue) == (None, None, None)
    assert event.published_at
    assert event.payload == {}


def test_an_event_that_nobody_listens_to_is_published_all_the_same(broker):
    OutboxEvent.objects.announce("user.deleted", user="0196")

    relay()

    assert not OutboxEvent.objects.waiting()


def test_events_come_in_their_order(channel):
    amqp.declare(channel)
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, amqp.EVENTS, "#")
    for n in range(3):
        OutboxEvent.objects.announce("user.created", user=n)

    relay()

    assert [json.loads(channel.basic_get(queue)[2])["user"] for _ in range(3)] == [0, 1, 2]


def test_without_a_broker_there_is_nothing_to_relay_to():
    with pytest.raises(CommandError, match="There is no AMQP_URL") as error:
        relay()

    assert error.value.returncode == 2


@pytest.mark.parametrize("address", ["closed_port", "black_hole"])
def test_a_broker_that_does_not_answer_is_one_line(settings, request, address):
    host, port = request.getfixturevalue(address)
    settings.AMQP_URL = f"amqp://{host}:{port}/?stack_timeout=0.2"
    MagicLink.objects.issue("grace@example.com")

    with pytest.raises(CommandError, match=r"The broker cannot be used; .* waits\. \S") as stopped:
        relay()

    assert stopped.value.returncode == 4
    assert OutboxMessage.objects.get().published_at is None


def test_without_a_database_it_says_try_later(settings):
    settings.AMQP_URL = "amqp://localhost"
    away = patch("outbox.broker.relay.rounds", side_effect=OperationalError("gone"))

    with away, pytest.raises(CommandError, match="The database does not answer") as stopped:
        relay()

    assert stopped.value.returncode == 4


def test_an_option_of_the_address_that_there_is_not_is_one_line(settings):
    settings.AMQP_URL = "amqp://localhost/?heartbeets=5"

    with pytest.raises(SystemExit, match="AMQP_URL cannot be used: Unknown URL parameter: 'heartbeets'"):
        relay()


def test_options_of_the_address_go_before_ours(settings):
    settings.AMQP_URL = "amqp://localhost/?heartbeat=7"

    parameters = amqp.parameters("test")

    assert (parameters.heartbeat, parameters.socket_timeout) == (7, 5)


def test_a_broker_that_nobody_has_used_yet_holds_nothing(broker):
    assert amqp.depths() == {"ready": 0, "dead": 0}


def test_all_that_is_declared_outlives_the_broker_and_its_disks(channel):
    relay()

    quorum = {"x-queue-type": "quorum"}
    limited = {"x-delivery-limit": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "frontdoor.mail.dead"}
    # The broker refuses a declaration that differs from the existing one.
    for queue, arguments in (("frontdoor.mail.dead", quorum), ("frontdoor.mail", quorum | limited)):
        assert channel.queue_declare(queue, durable=True, arguments=arguments).method.queue == queue
    assert channel.exchange_declare("frontdoor.events", "topic", durable=True)


def test_neither_web_servers_nor_workers_without_a_broker_load_what_talks_to_one():
    loaded = "config.wsgi, config.urls, outbox.management.commands.deliver_mail"
    code = f"import {loaded}, sys; sys.exit('pika' in sys.modules)"

    subprocess.run(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        env=os.environ | {"AMQP_URL": "amqp://localhost", "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
    )
