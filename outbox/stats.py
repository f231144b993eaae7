"""Figures of the outbox for operators: what waits, for how long and why, and what became of the rest."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from outbox.mail import lateness
from outbox.models import OutboxEvent, OutboxMessage, Suppression, WebhookDelivery

LATELY = timedelta(hours=1)
ANSWERS = 5  # the most frequent


def outbox() -> dict[str, Any]:
    """Returns the figures of the outbox: what waits, for how long and why, and what became of the rest.

    Ages are in seconds; `oldest_at` is a datetime, or None if no mail waits; `late` is true if mail takes longer than
    lateness.LATE_AFTER. Raises DatabaseError or InterfaceError if the database fails.
    """
    now = timezone.now()
    waiting = OutboxMessage.objects.waiting().aggregate(
        waiting=Count("id"),
        failing=Count("id", filter=Q(attempts__gt=0)),
        due=Count("id", filter=Q(next_try_at__lte=now)),
        oldest_at=Min("created_at"),
    )
    oldest_at = waiting.pop("oldest_at")
    late = lateness.measure()
    return waiting | {
        "given_up": OutboxMessage.objects.given_up().count(),
        "bounced": OutboxMessage.objects.filter(bounced_at__isnull=False).count(),
        "sent_last_hour": OutboxMessage.objects.filter(sent_at__gte=now - LATELY).count(),
        "oldest_at": oldest_at,
        "oldest_seconds": (now - oldest_at).total_seconds() if oldest_at else 0,
        "late": late > lateness.LATE_AFTER,
        "late_seconds": late.total_seconds(),
        "answers": answers(),
        "events_waiting": OutboxEvent.objects.waiting().count(),
        "webhooks_waiting": WebhookDelivery.objects.waiting().count(),
        "suppressed_addresses": Suppression.objects.count(),
    }


def answers() -> list[dict[str, Any]]:
    """Returns the most frequent last answers to mail that failed and still waits, at most ANSWERS of them.

    Each is {"answer": …, "mails": …}, with the number of its mails. Raises DatabaseError or InterfaceError if the
    database fails.
    """
    failing = OutboxMessage.objects.waiting().filter(attempts__gt=0)
    counted = failing.values("last_answer").annotate(mails=Count("id")).order_by("-mails", "last_answer")
    return [{"answer": row["last_answer"], "mails": row["mails"]} for row in counted[:ANSWERS]]


def broker() -> dict[str, Any] | None:
    """Returns {"ready": …, "dead": …}: how many mails wait in the broker's queue, and how many dead letters it has.

    Returns None without AMQP_URL, and {"error": …}, which says why in words, if the broker cannot be used. Raises
    SystemExit if AMQP_URL is invalid.
    """
    if not settings.AMQP_URL:
        return None
    from outbox.broker import amqp  # noqa: PLC0415 its library only with a broker

    try:
        return dict(amqp.depths())
    except amqp.Away as error:  # the other figures are true without the broker
        return {"error": f"{type(error).__name__}: {str(error) or repr(error)}"}
