"""Delivering what the broker names: each message is accepted when what came of it is committed."""

import logging
import re
from collections.abc import Generator

from django.db import OperationalError, close_old_connections, connection
from psycopg.errors import LockNotAvailable

from outbox.broker import amqp
from outbox.mail.deliver import Deliverer

log = logging.getLogger("frontdoor.mail")

IDLE = 0.5  # seconds without a message until the mail server is left alone
ROW = re.compile(rb"[0-9]{1,18}")
SHOWN = 40  # bytes of what is none


def rounds() -> Generator[bool]:
    """Delivers for ever; yields after each round whether there was a message. Raises DatabaseError or amqp.Away."""
    # First: while the database is away, each message that is taken and given back counts as a failed delivery.
    connection.ensure_connection()
    with Deliverer() as deliverer, amqp.connected("deliver_mail") as broker:
        for message in broker.messages(IDLE):
            if message is None:
                deliverer.rest()
                close_old_connections()
            else:
                take(message, broker, deliverer)
            yield message is not None


def take(message: amqp.Message, broker: amqp.Broker, deliverer: Deliverer) -> None:
    """Does what a message asks for, whatever that is."""
    if ROW.fullmatch(message.body):
        deliver(int(message.body), deliverer)
        broker.accept(message)
    else:
        log.warning("moved to %s, as it names no mail: %r", amqp.DEAD, message.body[:SHOWN])
        broker.refuse(message)


def deliver(pk: int, deliverer: Deliverer) -> None:
    """Tries one mail, unless others are at it. Raises DatabaseError."""
    try:
        deliverer.one(pk)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("mail %d is locked by another process; the relay will name it again", pk)
