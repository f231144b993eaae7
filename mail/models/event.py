"""Events for other services: stored in the transaction of their cause, until the broker has taken them."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.db.models.functions import JSONObject
from django.utils import timezone

KEPT = timedelta(days=7)  # rows of events that were published
EACH = """
INSERT INTO mail_outboxevent (message_id, name, created_at, payload)
SELECT gen_random_uuid(), %s, %s, told.payload FROM ({}) AS told (payload)
"""


class OutboxEventQuerySet(models.QuerySet["OutboxEvent"]):
    def announce(self, name: str, **payload: Any) -> None:
        """Stores an event in the caller's transaction; nothing where there is no broker to publish it to.

        `payload` names what it is about by id, and holds no secret (docs/events.md).
        """
        if settings.AMQP_URL:
            self.create(name=name, payload=payload)

    def announce_each(self, name: str, rows: models.QuerySet[Any, Any], **payload: Any) -> None:
        """The same for each of many rows, at least one, in one statement; `payload` names their fields."""
        if settings.AMQP_URL:
            told, params = rows.order_by().values_list(JSONObject(**payload)).query.sql_with_params()
            with connection.cursor() as cursor:
                cursor.execute(EACH.format(told), [name, timezone.now(), *params])

    def withdraw(self, **about: Any) -> None:
        """Takes back what says this, and what no broker has; waits for no relay that is publishing it right now."""
        waiting = self.waiting().filter(payload__contains=about).select_for_update(skip_locked=True)
        self.filter(pk__in=list(waiting.values_list("pk", flat=True))).delete()

    def waiting(self) -> "OutboxEventQuerySet":
        return self.filter(published_at=None).order_by("id")

    def over(self) -> "OutboxEventQuerySet":
        """Published so long ago that nobody asks for them any more."""
        return self.filter(published_at__lt=timezone.now() - KEPT)


class OutboxEvent(models.Model):
    """One event. Its payload is emptied when the broker has taken it."""

    # The same in every copy, so that who gets it twice can tell.
    message_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    name = models.CharField(max_length=40)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], name="event_waiting", condition=models.Q(published_at=None)),
            models.Index(fields=["published_at"], name="event_published"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.message_id}"

    def mark_published(self) -> None:
        self.published_at, self.payload = timezone.now(), {}
        self.save(update_fields=["published_at", "payload"])
