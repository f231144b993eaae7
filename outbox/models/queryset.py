"""Which mail there is, and what is done with many of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from outbox.models.retry_times import KEPT, RETRIABLE, until_given_up

if TYPE_CHECKING:
    from outbox.models.message import OutboxMessage

KEPT_ABOUT = timedelta(days=365)  # as KEPT, for mail that says what became of an invitation or a link that is there

TROUBLE = (
    Q(bounced_at__isnull=False) | Q(given_up_at__isnull=False) | Q(sent_at=None, given_up_at=None, attempts__gte=2)
)


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def put(self, message: EmailMessage, kind: str = "mail", about: UUID | None = None) -> None:
        """Stores a message, one row for each recipient. Raises ValueError for attachments: no mail of ours has any."""
        if message.attachments:
            raise ValueError("The outbox carries no attachments.")
        model: type[OutboxMessage] = self.model
        rows = [model.of(message, kind, recipient, about) for recipient in message.recipients()]
        model.objects.bulk_create(rows)

    def waiting(self) -> "OutboxQuerySet":
        """Neither handed over nor given up."""
        return self.filter(sent_at=None, given_up_at=None)

    def due(self) -> "OutboxQuerySet":
        """To be looked at now: never tried, or tried and failed a pause ago, or lost by the broker."""
        return self.waiting().filter(next_try_at__lte=timezone.now()).order_by("next_try_at")

    def deliverable(self) -> "OutboxQuerySet":
        """What a worker may try when the broker names it: a message may come late, or twice."""
        return self.waiting().exclude(published_at=None, next_try_at__gt=timezone.now())

    def newest_about(self, subjects: Iterable[UUID]) -> "OutboxQuerySet":
        """The last mail about each of these that has one, in one statement for all."""
        return self.filter(about__in=list(subjects)).order_by("about", "-id").distinct("about").defer("parts")

    def attach_newest(self, rows: Iterable[Any]) -> None:
        """Reads the `newest_mail` of each of these invitations or links, in one statement for all."""
        listed = list(rows)
        newest = {mail.about: mail for mail in self.newest_about(row.pk for row in listed)}
        for row in listed:
            row.newest_mail = newest.get(row.pk)

    def in_trouble(self) -> "OutboxQuerySet":
        """Came back, given up, or refused twice and still waiting; they have an index of their own."""
        return self.filter(TROUBLE)

    def over(self, *kept: models.QuerySet[Any]) -> "OutboxQuerySet":
        """Handed over or given up so long ago that nobody asks for them any more; longer if about a row of `kept`."""
        now = timezone.now()
        old = Q(sent_at__lt=now - KEPT) | Q(given_up_at__lt=now - KEPT)
        about_none = [~Exists(rows.filter(pk=OuterRef("about"))) for rows in kept]
        return self.filter(old, Q(*about_none) | Q(created_at__lt=now - KEPT_ABOUT))

    def withdraw(self) -> None:
        """Deletes them; not those that a worker is handing over right now, for that may take long."""
        free = self.select_for_update(skip_locked=True)
        self.model.objects.filter(pk__in=list(free.values_list("pk", flat=True))).delete()

    def given_up(self) -> "OutboxQuerySet":
        return self.filter(given_up_at__isnull=False)

    def stale(self) -> "OutboxQuerySet":
        """Given up so long ago that nobody tries it again, and still with its links."""
        return self.filter(given_up_at__lt=timezone.now() - RETRIABLE).exclude(parts={})

    def forget(self) -> int:
        """Empties the parts; says of how many."""
        return self.update(parts={})

    def requeue(self) -> None:
        """Has them tried now; what was given up, for as long as new mail. Only for rows that the caller has locked."""
        self.given_up().update(given_up_at=None, give_up_at=until_given_up())
        self.update(next_try_at=timezone.now(), published_at=None)

    def in_status(self, status: str) -> "OutboxQuerySet":
        """Those whose `status` it is. Raises KeyError when there is no such status."""
        known = self.model.Status
        chosen: dict[str, OutboxQuerySet] = {
            known.QUEUED: self.waiting().filter(attempts=0),
            known.TRIED: self.waiting().filter(attempts__gt=0),
            known.SENT: self.filter(sent_at__isnull=False, bounced_at=None),
            known.BOUNCED: self.filter(bounced_at__isnull=False),
            known.GIVEN_UP: self.given_up().filter(sent_at=None, bounced_at=None),
        }
        return chosen[status]
