"""Delivering the mail that the broker names. A message is accepted when the result of its mail is committed."""

import logging
import re
from collections.abc import Generator

from django.db import OperationalError, close_old_connections, connection
from psycopg.errors import LockNotAvailable

from outbox.broker import amqp
from outbox.mail.deliver import Deliverer

log = logging.getLogger("frontdoor.mail")

IDLE = 0.5  # seconds without a message until the connection to the mail server is closed
ROW = re.compile(rb"[0-9]{1,18}")
SHOWN = 40  # bytes of an invalid message, in the log


def rounds() -> Generator[bool]:
    """Delivers the mail that the broker names, for ever. Yields True after a message, False when IDLE seconds had none.

    Raises DatabaseError or InterfaceError if the database fails, the exceptions of amqp.Away if the broker is away or
    refuses us, and SystemExit if AMQP_URL is invalid.
    """
    # First the database: if it were away, each message taken and given back would count as a failed delivery.
    connection.ensure_connection()
    with Deliverer() as deliverer, amqp.connect("deliver_mail") as broker:
        for message in broker.messages(IDLE):
            if message is None:
                deliverer.rest()
                close_old_connections()
            else:
                take(message, broker, deliverer)
            yield message is not None


def take(message: amqp.Message, broker: amqp.Broker, deliverer: Deliverer) -> None:
    """Delivers the mail that a message names, and accepts the message; moves any other message to the dead letters.

    Raises DatabaseError or InterfaceError if the database fails, and the exceptions of amqp.Away if the broker is away.
    A message that was not accepted goes back to the queue when the connection ends.
    """
    if ROW.fullmatch(message.body):
        deliver(int(message.body), deliverer)
        broker.accept(message)
    else:
        log.warning("moved to %s, as it names no mail: %r", amqp.DEAD, message.body[:SHOWN])
        broker.refuse(message)


def deliver(pk: int, deliverer: Deliverer) -> None:
    """Tries the mail with this id, unless it no longer waits. Only logs a warning if another process keeps it locked.

    Raises DatabaseError or InterfaceError if the database fails.
    """
    try:
        deliverer.try_one(pk)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("mail %d is locked by another process; the relay will name it again", pk)
