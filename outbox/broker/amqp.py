"""Talking to RabbitMQ; only the relay, the workers and the commands about the queue do.

The broker only says which mail's turn it is: a message names a row of the outbox, and PostgreSQL holds the rest. So
nothing is lost with the broker, and a mail that it names twice is sent once.
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

# Defaults in seconds; AMQP_URL may set others. A frozen broker is left after two missed heartbeats.
PATIENCE = {"heartbeat": 10, "blocked_connection_timeout": 30, "socket_timeout": 5, "stack_timeout": 10}
# A worker answers no heartbeat while it delivers a mail, for up to outbox.mail.smtp.LONGEST.
WORKERS_PATIENCE = PATIENCE | {"heartbeat": 60}

QUORUM = {"x-queue-type": "quorum"}
# RabbitMQ 4 limits deliveries by itself, older ones do not. A message that kills its worker must not do so for ever.
LIMITED = {"x-delivery-limit": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}

MOST_READY = 1000  # messages in the queue; with as many, no mail is published a second time
PREFETCH = 10  # messages that a worker may hold before it has accepted the first

# The exceptions that are raised when the broker is away, or refuses what it is asked.
Away: tuple[type[Exception], ...] = (AMQPError, AMQPConnectorException, OSError)


class Message(NamedTuple):
    """A message for a worker. The broker keeps it until the worker accepts or refuses it.

    `tag` is the broker's number for it. `body` names a row of the outbox by its id in digits; any other is invalid.
    """

    tag: int
    body: bytes


class Broker:
    """An open connection to the broker, with the queues and the exchange declared.

    Making it and all its methods raise the exceptions of `Away` if the broker is away or refuses what it is asked.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.channel = connection.channel()
        self.channel.confirm_delivery()
        declare(self.channel)

    def publish_mail(self, pk: int) -> None:
        """Publishes the id of a row of the outbox. Returns when the broker has it on disk and in its queue.

        Raises the exceptions of `Away` if the broker is away or does not accept it.
        """
        self.channel.basic_publish("", MAIL, b"%d" % pk, _persistent(), mandatory=True)

    def has_room(self) -> bool:
        """Returns whether the queue holds fewer than MOST_READY mails, so that mail may be published a second time.

        Raises the exceptions of `Away` if the broker is away.
        """
        return _depth(self.channel, MAIL) < MOST_READY

    def publish_event(self, event: OutboxEvent) -> None:
        """Publishes an event to all queues that are bound to the exchange. There may be none, which is no error.

        Returns when the broker has confirmed it. Raises the exceptions of `Away` if the broker is away or does not
        accept it.
        """
        properties = _persistent(
            message_id=str(event.message_id),
            type=event.name,
            content_type="application/json",
            timestamp=int(event.created_at.timestamp()),
        )
        self.channel.basic_publish(EVENTS, event.name, event.as_json(), properties)

    def messages(self, idle: float) -> Iterator[Message | None]:
        """Yields the messages of the mail queue without end, and None whenever none came for `idle` seconds.

        Raises the exceptions of `Away` if the broker is away, or if the queue is deleted.
        """
        self.channel.basic_qos(prefetch_count=PREFETCH)
        for method, _properties, body in self.channel.consume(MAIL, inactivity_timeout=idle):
            yield Message(method.delivery_tag, body) if method else None
        raise ConsumerCancelled(f"{MAIL} is gone")

    def accept(self, message: Message) -> None:
        """Tells the broker that a message is done, so that no worker gets it again.

        Raises the exceptions of `Away` if the broker is away.
        """
        self.channel.basic_ack(message.tag)

    def refuse(self, message: Message) -> None:
        """Moves a message to the dead letters, so that no worker gets it again.

        Raises the exceptions of `Away` if the broker is away.
        """
        self.channel.basic_reject(message.tag, requeue=False)

    def wait(self, seconds: float) -> None:
        """Waits so many seconds, and answers the broker's heartbeats meanwhile.

        Raises the exceptions of `Away` if the connection is lost.
        """
        self.connection.process_data_events(seconds)


@contextmanager
def connect(name: str) -> Iterator[Broker]:
    """Opens a connection, which the broker's lists show under `name`, and closes it after the `with` block.

    Messages that were not accepted by then go back to the queue. Raises the exceptions of `Away` if the broker is away
    or refuses us, and SystemExit if AMQP_URL is invalid.
    """
    with _open(name) as connection:
        yield Broker(connection)


def declare(channel: Any) -> None:
    """Makes the queues and the exchange, which survive a restart of the broker, unless they exist.

    `channel` is a channel of pika's. Raises the exceptions of `Away` if the broker is away, or if a queue or the
    exchange exists with other properties.
    """
    channel.queue_declare(DEAD, durable=True, arguments=QUORUM)
    channel.queue_declare(MAIL, durable=True, arguments=QUORUM | LIMITED)
    channel.exchange_declare(EVENTS, "topic", durable=True)


def depths() -> dict[str, int]:
    """Returns {"ready": …, "dead": …}: how many messages wait for workers, and how many are dead letters.

    A queue that does not exist counts as empty. Raises the exceptions of `Away` if the broker is away or refuses us,
    and SystemExit if AMQP_URL is invalid.
    """
    with _open("queue") as connection:
        return {"ready": _depth(connection.channel(), MAIL), "dead": _depth(connection.channel(), DEAD)}


def parameters(name: str) -> pika.URLParameters:
    """Returns where and how to connect, from AMQP_URL, for the command `name`, which the broker's lists show.

    Options in AMQP_URL win over WORKERS_PATIENCE (for deliver_mail) and PATIENCE (for others). Raises SystemExit with
    one line if AMQP_URL is invalid.
    """
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
        return 0  # the queue is not declared yet
    return count


def _persistent(**properties: Any) -> pika.BasicProperties:
    return pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent.value, **properties)
