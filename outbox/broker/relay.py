"""Publishing what waits: mail for the workers that deliver it, events for other services.

Each row has its own transaction: a relay that is killed between the broker's confirmation and our commit publishes one
row again, and its receiver knows that row by its id.
"""

from collections.abc import Callable, Generator
from itertools import takewhile

from django.db import close_old_connections, connection, models, transaction
from django.utils import timezone

from kit.prepared import Given, Prepared
from outbox.broker import amqp
from outbox.models import OutboxEvent, OutboxMessage

IDLE = 0.5  # seconds between two looks at an empty outbox
TURN = 20  # mails that are published before events have their turn, and the other way round

DUE = Prepared(
    lambda: (
        OutboxMessage.objects.due(Given("now", models.DateTimeField()))
        .only("pk", "published_at")
        .select_for_update(skip_locked=True)[:1]
    )
)


def rounds() -> Generator[bool]:
    """Publishes mail and events for ever. Yields after each round whether anything was published.

    Raises DatabaseError or InterfaceError if the database fails, the exceptions of amqp.Away if the broker is away or
    refuses us, and SystemExit if AMQP_URL is invalid.
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
    """Calls `publish` with the broker until it returns False, but at most TURN times.

    Returns whether it has returned True at least once. Raises what `publish` raises.
    """
    return sum(takewhile(bool, (publish(broker) for _ in range(TURN)))) > 0


def publish_mail(broker: amqp.Broker) -> bool:
    """Publishes the mail that has been due longest, and marks its row, in a transaction of its own.

    While the queue is long, mail that was published before is only marked. Returns False if no mail is due, or others
    have locked it all. Raises DatabaseError or InterfaceError if the database fails, and the exceptions of amqp.Away if
    the broker is away or refuses the mail.
    """
    with transaction.atomic():
        rows = DUE.read(now=timezone.now())
        for row in rows:  # at most one
            # A long queue still holds what was published before, as nobody empties it: none of that is published twice.
            if row.published_at is None or broker.has_room():
                broker.publish_mail(row.pk)
            row.mark_published()
    return bool(rows)


def publish_event(broker: amqp.Broker) -> bool:
    """Publishes the oldest event that waits, and marks its row, in a transaction of its own.

    Returns False if none waits, or others have locked them all. Raises DatabaseError or InterfaceError if the database
    fails, and the exceptions of amqp.Away if the broker is away or refuses the event.
    """
    with transaction.atomic():
        event = OutboxEvent.objects.waiting().select_for_update(skip_locked=True).first()
        if event is not None:
            broker.publish_event(event)
            event.mark_published()
    return event is not None
