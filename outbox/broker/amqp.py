"""Talking to RabbitMQ; only the relay, the workers and the commands about the queue do.

The broker only says whose turn it is: a message names a row of the outbox, and PostgreSQL knows the rest. So nothing
is lost with the broker, and what it says twice is done once.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pika
from django.conf import settings
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker, ConsumerCancelled

from outbox.models import OutboxEvent

MAIL, DEAD, EVENTS = "frontdoor.mail", "frontdoor.mail.dead", "frontdoor.events"

# What AMQP_URL may say otherwise; in seconds. A broker that has frozen is left after two heartbeats without one.
PATIENCE = {"heartbeat": 10, "blocked_connection_timeout": 30, "socket_timeout": 5, "stack_timeout": 10}
# A worker is silent for as long as one mail takes (outbox.mail.smtp.LONGEST).
WORKERS_PATIENCE = PATIENCE | {"heartbeat": 60}

QUORUM = {"x-queue-type": "quorum"}
# RabbitMQ 4 has this limit by itself; we say it for all. A message that kills who takes it must not do so for ever.
LIMITED = {"x-delivery-limit": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}

MOST_READY = 1000  # messages in the queue from which on it is named nothing twice
PREFETCH = 10  # messages that a worker is given before it has done the first

# What is raised when the broker is away, or does not do what it is asked.
Away: tuple[type[Exception], ...] = (AMQPError, AMQPConnectorException, OSError)


class Message(NamedTuple):
    """What a worker is given; the broker keeps it until it is accepted or refused."""

    tag: int
    body: bytes


class Broker:
    """An open connection on which everything is declared. All its methods raise what is in `Away`."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.channel = connection.channel()
        self.channel.confirm_delivery()
        declare(self.channel)

    def publish_mail(self, pk: int) -> None:
        """Names a row of the outbox; returns when the broker has it on disk and in its queue."""
        self.channel.basic_publish("", MAIL, b"%d" % pk, _persistent(), mandatory=True)

    def has_room(self) -> bool:
        """Whether so few mails wait in the queue that it may be named some again."""
        return _depth(self.channel, MAIL) < MOST_READY

    def publish_event(self, event: OutboxEvent) -> None:
        """Tells whoever has bound a queue to the exchange; there may be nobody, and that is no mistake."""
        properties = _persistent(
            message_id=str(event.message_id),
            type=event.name,
            content_type="application/json",
            timestamp=int(event.created_at.timestamp()),
        )
        self.channel.basic_publish(EVENTS, event.name, event.as_json(), properties)

    def messages(self, idle: float) -> Iterator[Message | None]:
        """All messages that come, without end; None whenever there was none for `idle` seconds."""
        self.channel.basic_qos(prefetch_count=PREFETCH)
        for method, _properties, body in self.channel.consume(MAIL, inactivity_timeout=idle):
            yield Message(method.delivery_tag, body) if method else None
        raise ConsumerCancelled(f"{MAIL} is gone")

    def accept(self, message: Message) -> None:
        self.channel.basic_ack(message.tag)

    def refuse(self, message: Message) -> None:
        """Moves a message to the dead letters."""
        self.channel.basic_reject(message.tag, requeue=False)

    def wait(self, seconds: float) -> None:
        """Does nothing but answer the broker's heartbeats."""
        self.connection.process_data_events(seconds)


@contextmanager
def connected(name: str) -> Iterator[Broker]:
    """A connection that the broker's lists show under a name; messages that nobody accepted go back at its end."""
    with _open(name) as connection:
        yield Broker(connection)


def declare(channel: Any) -> None:
    """Makes the queues and the exchange, all of which survive the broker; nothing, where they are there already."""
    channel.queue_declare(DEAD, durable=True, arguments=QUORUM)
    channel.queue_declare(MAIL, durable=True, arguments=QUORUM | LIMITED)
    channel.exchange_declare(EVENTS, "topic", durable=True)


def depths() -> dict[str, int]:
    """How many messages are "ready" for workers, and how many are "dead" letters. Raises what is in `Away`."""
    with _open("queue") as connection:
        return {"ready": _depth(connection.channel(), MAIL), "dead": _depth(connection.channel(), DEAD)}


def parameters(name: str) -> pika.URLParameters:
    """Where and how to connect; or the end of the start, with one line."""
    try:
        said = pika.URLParameters(settings.AMQP_URL)
    except ValueError as error:
        raise SystemExit(f"AMQP_URL cannot be used: {error}") from None
    patience = WORKERS_PATIENCE if name == "deliver_mail" else PATIENCE
    for option in patience.keys() - parse_qs(urlsplit(settings.AMQP_URL).query):
        setattr(said, option, patience[option])
    said.client_properties = {"connection_name": f"frontdoor {name}"}
    return said


@contextmanager
def _open(name: str) -> Iterator[pika.BlockingConnection]:
    connection = pika.BlockingConnection(parameters(name))
    try:
        yield connection
    finally:
        with suppress(*Away):
            connection.close()


def _depth(channel: Any, queue: str) -> int:
    try:
        count: int = channel.queue_declare(queue, passive=True).method.message_count
    except ChannelClosedByBroker as error:
        if error.reply_code != 404:
            raise
        return 0  # nobody has declared it yet
    return count


def _persistent(**properties: Any) -> pika.BasicProperties:
    return pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent.value, **properties)
