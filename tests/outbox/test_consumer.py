"""Workers that deliver the mail that RabbitMQ names."""

import os
import threading
from contextlib import closing
from datetime import timedelta

import pika
import psycopg
import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from invites.models import MagicLink
from kit.worker_loop import keep_working
from outbox.broker import amqp, consumer
from outbox.models import OutboxMessage
from tests.faults.parts import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Keeps the worker from being idle: then it would close its database connection, which is also the test's."""
    monkeypatch.setattr(consumer, "IDLE", 30)


@pytest.fixture
def channel(broker):
    """A channel of another client with the password, which can publish anything."""
    with closing(pika.BlockingConnection(pika.URLParameters(broker.url))) as connection:
        channel = connection.channel()
        amqp.declare(channel)
        yield channel


@pytest.fixture
def letters(tmp_path):
    """A function that returns the file names of the mails that have left."""
    return lambda: [file.name for file in (tmp_path / "mail").glob("*.eml")]


def issue(*names):
    """Puts a mail to each of these names into the outbox, and publishes it."""
    for name in names:
        MagicLink.objects.issue(f"{name}@example.com")
    call_command("relay_mail", "--once")


def consume(messages):
    """Runs a worker until it has taken so many messages. Raises AssertionError if one does not come."""
    with closing(consumer.rounds()) as rounds:
        for _ in range(messages):
            assert next(rounds), "no message came"


def test_a_mail_goes_through_the_broker_to_its_mailbox_once(client, broker, letters):
    client.post("/", {"email": "grace@example.com"})
    call_command("relay_mail", "--once")

    consume(1)

    assert len(letters()) == 1
    assert OutboxMessage.objects.get().sent_at
    assert amqp.depths() == {"ready": 0, "dead": 0}


def test_what_the_broker_says_twice_is_done_once(channel, letters):
    issue("grace")
    channel.basic_publish("", amqp.MAIL, str(OutboxMessage.objects.get().pk))

    consume(2)

    assert len(letters()) == 1
    assert OutboxMessage.objects.get().attempts == 1
    assert amqp.depths() == {"ready": 0, "dead": 0}


def test_a_mail_that_failed_goes_back_to_the_relay_when_it_is_due(settings, broker, closed_port, letters):
    works = settings.MAILERS
    options = {"host": closed_port[0], "port": closed_port[1], "timeout": 1}
    settings.MAILERS = works | {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}}
    issue("grace")
    consume(1)
    call_command("relay_mail", "--once")
    assert amqp.depths()["ready"] == 0

    settings.MAILERS = works
    with time_machine.travel(timezone.now() + timedelta(seconds=13)):
        call_command("relay_mail", "--once")
        consume(1)

    assert len(letters()) == 1
    assert OutboxMessage.objects.get().attempts == 2


def test_a_late_copy_does_not_hurry_a_mail_that_failed(settings, channel, closed_port):
    options = {"host": closed_port[0], "port": closed_port[1], "timeout": 1}
    settings.MAILERS |= {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}}
    issue("grace")
    channel.basic_publish("", amqp.MAIL, str(OutboxMessage.objects.get().pk))

    consume(2)

    assert OutboxMessage.objects.get().attempts == 1


@pytest.mark.parametrize("body", [b"", b"grace@example.com", b"-1", b"1\n", b"\xff" * 10_000, b"9" * 5000])
def test_what_names_no_mail_is_put_aside_and_the_next_one_is_delivered(channel, letters, caplog, body):
    channel.basic_publish("", amqp.MAIL, body)
    issue("grace")

    consume(2)

    assert len(letters()) == 1
    assert amqp.depths() == {"ready": 0, "dead": 1}
    assert channel.basic_get(amqp.DEAD)[2] == body
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("moved to frontdoor.mail.dead")
    assert len(said) < 250


def test_a_row_that_is_gone_is_no_trouble(channel, letters):
    channel.basic_publish("", amqp.MAIL, b"9" * 18)
    issue("grace")

    consume(2)

    assert len(letters()) == 1
    assert amqp.depths() == {"ready": 0, "dead": 0}


def test_who_is_told_to_stop_finishes_the_mail_in_hand_and_gives_back_the_rest(broker, letters):
    issue("ada", "grace", "alan")
    stop = threading.Event()

    def rounds():
        for busy in consumer.rounds():
            if busy:
                stop.set()
            yield busy

    keep_working(rounds, stop, amqp.Away)

    assert len(letters()) == 1
    assert amqp.depths() == {"ready": 2, "dead": 0}
    consume(2)
    assert len(letters()) == 3


def test_a_worker_leaves_to_others_what_it_cannot_do_soon(broker):
    issue(*(f"guest{n}" for n in range(amqp.PREFETCH + 2)))

    with closing(consumer.rounds()) as rounds:
        next(rounds)
        wait_until(lambda: amqp.depths()["ready"] == 1)


def test_a_worker_without_its_database_leaves_messages_alone(channel, monkeypatch):
    issue("grace")
    with monkeypatch.context() as cut:
        cut.setattr(connection, "ensure_connection", lambda: (_ for _ in ()).throw(OperationalError))
        with pytest.raises(OperationalError):
            consume(1)

    method, _, _ = channel.basic_get(amqp.MAIL)

    assert not method.redelivered


def test_a_message_that_kills_every_worker_is_put_aside(channel, monkeypatch):
    issue("grace")
    monkeypatch.setattr(consumer, "deliver", lambda *_: (_ for _ in ()).throw(SystemExit))
    for _ in range(21):
        with pytest.raises(SystemExit):
            consume(1)

    wait_until(lambda: amqp.depths() == {"ready": 0, "dead": 1})
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        call_command("relay_mail", "--once")
    assert amqp.depths()["ready"] == 1


def test_a_worker_whose_queue_is_deleted_begins_again(channel, letters):
    issue("grace")
    with closing(consumer.rounds()) as rounds, pytest.raises(amqp.Away, match="gone"):
        assert next(rounds)
        channel.queue_delete(amqp.MAIL)
        while True:
            next(rounds)

    issue("alan")
    consume(1)

    assert len(letters()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_somebody_else_holds_is_left_to_them(broker, letters, caplog):
    issue("grace")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    with psycopg.connect(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"]) as other:
        other.execute("SELECT 1 FROM outbox_outboxmessage FOR UPDATE")
        consume(1)

    assert letters() == []
    assert "locked by another process" in caplog.text
    assert amqp.depths() == {"ready": 0, "dead": 0}
    connection.close()
