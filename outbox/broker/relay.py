"""Publishing what waits: mail for the workers that deliver it, events for other services.

Each row has its own transaction: a relay that is killed between the broker's confirmation and our commit publishes one
row again, and its receiver knows that row by its id.
"""

from collections.abc import Callable, Generator
from itertools import takewhile

from django.db import close_old_connections, connection, transaction

from outbox.broker import amqp
from outbox.models import OutboxEvent, OutboxMessage

IDLE = 0.5  # seconds between two looks at an empty outbox
TURN = 20  # mails that are published before events have their turn, and the other way round


def rounds() -> Generator[bool]:
    """Publishes for ever; yields after each round whether anything was published.

    Raises DatabaseError, InterfaceError, the exceptions of amqp.Away, and SystemExit if AMQP_URL is invalid.
    """
    connection.ensure_connection()
    with amqp.connect("relay_mail") as broker:
        while True:
            busy = publish_some(publish_mail, broker) | publish_some(publish_event, broker)
            yield busy
            if not busy:
                close_old_connections()
                broker.wait(IDLE)


def publish_some(publish: Callable[[amqp.Broker], bool], broker: amqp.Broker) -> bool:
    """Calls `publish` until nothing waits, at most TURN times. Returns whether anything waited.

    Raises what `publish` raises.
    """
    return sum(takewhile(bool, (publish(broker) for _ in range(TURN)))) > 0


def publish_mail(broker: amqp.Broker) -> bool:
    """Publishes the mail that has been due longest. Returns False if none is due, or others have locked it all.

    Raises DatabaseError, InterfaceError, or the exceptions of amqp.Away.
    """
    with transaction.atomic():
        row = OutboxMessage.objects.due().only("pk", "published_at").select_for_update(skip_locked=True).first()
        if row is not None:
            # A long queue still holds what was published before, as nobody empties it: none of that is published twice.
            if row.published_at is None or broker.has_room():
                broker.publish_mail(row.pk)
            row.mark_published()
    return row is not None


def publish_event(broker: amqp.Broker) -> bool:
    """Publishes the oldest event that waits. Returns False if none waits, or others have locked them all.

    Raises DatabaseError, InterfaceError, or the exceptions of amqp.Away.
    """
    with transaction.atomic():
        event = OutboxEvent.objects.waiting().select_for_update(skip_locked=True).first()
        if event is not None:
            broker.publish_event(event)
            event.mark_published()
    return event is not None
