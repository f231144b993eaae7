"""Events for other services: stored in the transaction of their cause, until the broker and all webhooks have them."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import JSONObject
from django.utils import timezone

from kit.one_statement import OneStatement, Write
from outbox.models.announcement import Announcement
from outbox.models.delivery import WebhookDelivery
from outbox.models.retry_times import until_given_up

NewEvent = tuple[str, dict[str, Any]]  # the name of an event, and its payload

KEPT = timedelta(days=7)  # since they were published
# Parts of one statement, which waits for no lock and needs no query before it: the events, a copy of each for the
# broker, where there is one, and a copy for each webhook that wants the event.
TOLD = """
SELECT gen_random_uuid() AS message_id, told.name, %s::timestamptz AS created_at, told.payload
FROM ({}) AS told (name, payload){}
"""
FOR_THE_BROKER = """
INSERT INTO outbox_outboxevent (message_id, name, created_at, payload)
SELECT message_id, name, created_at, payload FROM told WHERE %s
"""
FOR_WEBHOOKS = """
INSERT INTO outbox_webhookdelivery
    (webhook_id, message_id, name, created_at, payload, attempts, next_try_at, give_up_at, last_answer)
SELECT webhook.id, told.message_id, told.name, told.created_at, told.payload, 0, told.created_at, %s, ''
FROM told JOIN outbox_webhook webhook ON webhook.is_active AND (webhook.events = '[]' OR webhook.events ? told.name)
"""


class OutboxEventQuerySet(models.QuerySet["OutboxEvent"]):
    def announce(self, name: str, /, **payload: Any) -> None:
        """Stores an event in the caller's transaction, for the broker and for each webhook that wants it.

        Stores nothing if there is neither. `payload` names what the event is about by id, and holds no secret
        (docs/events.md).
        """
        self.announce_many([new_event(name, **payload)])

    def announce_many(self, events: Sequence[NewEvent]) -> None:
        """Stores events of new_event() in one statement, in the caller's transaction, for the broker and for webhooks.

        Stores nothing of an event that neither the broker nor a webhook wants, and nothing if there are no events.
        """
        if events:
            statement = OneStatement()
            self.add_to(statement, events)
            statement.execute()

    def add_to(self, statement: OneStatement, events: Sequence[NewEvent]) -> None:
        """Adds to a statement what announce_many() does with these events, of which there must be one.

        They are stored if all conditions of the statement are met.
        """
        rows = ", ".join(["(%s, %s::jsonb)"] * len(events))
        params = [param for name, payload in events for param in (name, json.dumps(payload, cls=DjangoJSONEncoder))]
        _add_to(statement, f"VALUES {rows}", params)

    def announce_each(self, name: str, rows: models.QuerySet[Any, Any], /, **payload: Any) -> None:
        """Stores an event `name` for each of `rows` in one statement, in the caller's transaction.

        Each keyword of `payload` becomes a key of the event's payload; its value is the name of a row's field, or an
        expression. Stores nothing if there is neither a broker nor a webhook that wants the event.
        """
        statement = OneStatement()
        self.add_each_to(statement, name, rows, **payload)
        statement.execute()

    def add_each_to(
        self, statement: OneStatement, name: str, rows: models.QuerySet[Any, Any], /, **payload: Any
    ) -> None:
        """Adds to a statement what announce_each() does, with the values that `rows` have before the statement."""
        called = models.Value(name, output_field=models.TextField())
        _add_to(statement, *rows.order_by().values_list(called, JSONObject(**payload)).query.sql_with_params())

    def is_heard(self) -> Combinable:
        """Returns an expression for a query: whether there is a broker or a webhook, which may want an event."""
        heard = models.Value(True)
        return heard if settings.AMQP_URL else RawSQL("EXISTS (SELECT FROM outbox_webhook WHERE is_active)", ())

    def withdraw(self, **about: Any) -> None:
        """Deletes events that nobody has had yet, for the broker and for webhooks.

        Their payload has all fields of `about` with these values. Passes over rows that a process has locked just now
        to hand them over, instead of waiting for it. Raises TransactionManagementError outside a transaction.
        """
        waiting = self.waiting().filter(payload__contains=about).select_for_update(skip_locked=True)
        self.filter(pk__in=list(waiting.values_list("pk", flat=True))).delete()
        WebhookDelivery.objects.withdraw(**about)

    def waiting(self) -> "OutboxEventQuerySet":
        """Returns the events that the broker has not taken yet, oldest first."""
        return self.filter(published_at=None).order_by("id")

    def prunable(self) -> "OutboxEventQuerySet":
        """Returns the events to prune: published longer ago than KEPT."""
        return self.filter(published_at__lt=timezone.now() - KEPT)


def new_event(name: str, /, **payload: Any) -> NewEvent:
    """Returns an event in the form that announce_many() accepts."""
    return name, payload


def _add_to(statement: OneStatement, events: str, params: Iterable[Any]) -> None:
    """Has a statement store one event for each name and payload that the SQL query `events` returns.

    `params` are the parameters of that query. Nothing is stored unless all conditions of the statement are met.
    """
    statement.add(Write(TOLD.format(events, statement.if_met), [timezone.now(), *params]), "told")
    statement.add(Write(FOR_THE_BROKER, [bool(settings.AMQP_URL)]))
    statement.add(Write(FOR_WEBHOOKS, [until_given_up()]))


class OutboxEvent(Announcement):
    """One event for the broker. Its payload is emptied when the broker has it."""

    message_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    published_at = models.DateTimeField(null=True)

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], name="event_waiting", condition=models.Q(published_at=None)),
            models.Index(fields=["published_at"], name="event_published"),
        ]

    def mark_published(self) -> None:
        """Saves that the broker has the event, and empties the payload."""
        self.published_at, self.payload = timezone.now(), {}
        self.save(update_fields=["published_at", "payload"])
