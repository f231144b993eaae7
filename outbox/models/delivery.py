"""Deliveries to webhooks: one row for each event and webhook, stored in the transaction of the event's cause."""

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outbox.models.announcement import Announcement
from outbox.models.message import clean_refusal
from outbox.models.retry_times import KEPT, RETRIABLE, pause_after, until_given_up
from outbox.models.webhook import Webhook

KEPT_DELIVERED = timedelta(days=7)


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def withdraw(self, **about: object) -> None:
        """Deletes the undelivered rows whose payload has all fields of `about` with these values.

        Passes over rows that a worker has locked just now. Raises TransactionManagementError outside a transaction.
        """
        rows = self.filter(delivered_at=None, payload__contains=about).select_for_update(skip_locked=True)
        self.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()

    def waiting(self) -> "WebhookDeliveryQuerySet":
        """Returns the rows that are neither delivered nor given up."""
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self) -> "WebhookDeliveryQuerySet":
        """Returns the waiting rows whose next try is due, first the one that has been due longest."""
        return self.waiting().filter(next_try_at__lte=timezone.now()).order_by("next_try_at")

    def overdue(self) -> "WebhookDeliveryQuerySet":
        """Returns waiting rows past their `give_up_at`.

        They may never have been tried: their webhook is off, or its server away.
        """
        return self.waiting().filter(give_up_at__lt=timezone.now())

    def give_up(self) -> int:
        """Marks the rows as given up, and returns their number."""
        return self.update(given_up_at=timezone.now())

    def retriable(self) -> "WebhookDeliveryQuerySet":
        """Returns the rows that can be tried again: those that were given up within the time RETRIABLE."""
        return self.filter(given_up_at__gte=timezone.now() - RETRIABLE)

    def retry(self) -> int:
        """Makes those of the rows due now that were given up within the time RETRIABLE, and returns their number.

        They are then tried for as long as new rows.
        """
        return self.retriable().update(given_up_at=None, next_try_at=timezone.now(), give_up_at=until_given_up())

    def stale(self) -> "WebhookDeliveryQuerySet":
        """Returns rows that were given up too long ago to be tried again (RETRIABLE) and still have a payload."""
        return self.filter(given_up_at__lt=timezone.now() - RETRIABLE).exclude(payload={})

    def empty(self) -> int:
        """Empties the payloads of these rows, and returns the number of rows."""
        return self.update(payload={})

    def prunable(self) -> "WebhookDeliveryQuerySet":
        """Returns the rows to prune.

        They were delivered longer ago than KEPT_DELIVERED, or given up longer ago than KEPT, or their webhook is
        deleted.
        """
        now = timezone.now()
        old = Q(delivered_at__lt=now - KEPT_DELIVERED) | Q(given_up_at__lt=now - KEPT)
        return self.filter(old | ~Exists(Webhook.objects.filter(pk=OuterRef("webhook_id"))))


class WebhookDelivery(Announcement):
    """One event for one webhook, and its tries.

    Its payload is emptied when it has been delivered, or when it was given up too long ago to be tried again.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        TRIED = "tried", _("Put off")
        DELIVERED = "delivered", _("Delivered")
        GIVEN_UP = "given_up", _("Given up")

    # The database has no constraint for it. With one, every cause of an event would lock the webhook's row, and wait
    # while staff delete the webhook. prunable() finds the rows of a deleted webhook.
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_constraint=False, db_index=False)
    message_id = models.UUIDField(default=uuid4, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField(default=until_given_up)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    last_answer = models.CharField(max_length=300, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["webhook", "next_try_at"],
                name="delivery_waiting",
                condition=Q(delivered_at=None, given_up_at=None),
            ),
            models.Index(fields=["webhook", "-id"], name="delivery_newest"),
            models.Index(fields=["id"], name="delivery_undelivered", condition=Q(delivered_at=None)),
            models.Index(fields=["delivered_at"], name="delivery_done", condition=Q(delivered_at__isnull=False)),
            models.Index(fields=["given_up_at"], name="delivery_given_up", condition=Q(given_up_at__isnull=False)),
        ]

    @property
    def status(self) -> Status:
        if self.delivered_at:
            return self.Status.DELIVERED
        if self.given_up_at:
            return self.Status.GIVEN_UP
        return self.Status.TRIED if self.attempts else self.Status.QUEUED

    @property
    def next_try(self) -> datetime | None:
        """The time of the next try; None if the event was delivered or given up."""
        return None if self.delivered_at or self.given_up_at else self.next_try_at

    @property
    def is_retriable(self) -> bool:
        """True if the delivery can be tried again: it was given up within the time RETRIABLE."""
        return self.given_up_at is not None and self.given_up_at >= timezone.now() - RETRIABLE

    def mark_delivered(self, answer: str) -> None:
        """Saves that the receiver took the event, with its answer, and empties the payload. Counts as a try."""
        self.delivered_at, self.payload = timezone.now(), {}
        self._save_try(answer, "delivered_at", "payload")

    def mark_failed(self, answer: str, wait: timedelta = timedelta()) -> None:
        """Saves a failed try, with the receiver's answer or the error as `answer`.

        The next try comes after pause_after(), or after `wait` if that is longer; if `give_up_at` is past, none does:
        the delivery is given up.
        """
        now = timezone.now()
        self.next_try_at = now + max(pause_after(self.attempts), wait)
        if now >= self.give_up_at:
            self.given_up_at = now
        self._save_try(answer, "next_try_at", "given_up_at")

    def give_up(self, answer: str) -> None:
        """Saves a failed try with the receiver's answer, and gives the delivery up.

        Nobody tries it again unless staff ask for it.
        """
        self.given_up_at = timezone.now()
        self._save_try(answer, "given_up_at")

    def _save_try(self, answer: str, *changed: str) -> None:
        self.last_answer = clean_refusal(answer)
        self.attempts += 1
        self.save(update_fields=["attempts", "last_answer", *changed])
