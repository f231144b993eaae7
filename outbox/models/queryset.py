"""Queries for outgoing mail, and verbs for many mails at once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from kit.prepared import Given
from outbox.models.retry_times import KEPT, RETRIABLE, until_given_up

if TYPE_CHECKING:
    from outbox.models.message import OutboxMessage

KEPT_ABOUT = timedelta(days=365)  # instead of KEPT, for mail about an invitation or a link that still exists

TROUBLE = (
    Q(bounced_at__isnull=False) | Q(given_up_at__isnull=False) | Q(sent_at=None, given_up_at=None, attempts__gte=2)
)


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def put(self, message: EmailMessage, kind: str = "mail", about: UUID | None = None) -> None:
        """Stores a message in the caller's transaction, one row for each recipient.

        `about` is the id of the invitation or the link that it is sent for, or None. Raises ValueError if it has
        attachments: ours have none.
        """
        if message.attachments:
            raise ValueError("The outbox carries no attachments.")
        model: type[OutboxMessage] = self.model
        rows = [model.of(message, kind, recipient, about) for recipient in message.recipients()]
        model.objects.bulk_create(rows)

    def waiting(self) -> "OutboxQuerySet":
        """Returns the mail that is neither handed over nor given up."""
        return self.filter(sent_at=None, given_up_at=None)

    def due(self, now: datetime | Given | None = None) -> "OutboxQuerySet":
        """Returns mail to look at `now`, longest due first: never tried, failed a pause ago, or lost by the broker."""
        return self.waiting().filter(next_try_at__lte=now or timezone.now()).order_by("next_try_at")

    def deliverable(self, now: datetime | Given | None = None) -> "OutboxQuerySet":
        """Returns the mail that a worker may try `now` when the broker names it: what waits, and is published or due.

        The broker may name a mail late, or twice. By then it may have left, or have failed, so that it must wait for
        its next try: such mail is not returned.
        """
        return self.waiting().exclude(published_at=None, next_try_at__gt=now or timezone.now())

    def newest_about(self, subjects: Iterable[UUID]) -> "OutboxQuerySet":
        """Returns the newest mail about each of these ids of invitations or links; its parts are not read."""
        return self.filter(about__in=list(subjects)).order_by("about", "-id").distinct("about").defer("parts")

    def attach_newest(self, rows: Iterable[Any]) -> None:
        """Sets `newest_mail` of each of these invitations or links to the newest mail about it, or to None.

        Reads all this mail in one statement, without its parts.
        """
        listed = list(rows)
        newest = {mail.about: mail for mail in self.newest_about(row.pk for row in listed)}
        for row in listed:
            row.newest_mail = newest.get(row.pk)

    def in_trouble(self) -> "OutboxQuerySet":
        """Returns mail that came back, was given up, or failed at least twice and still waits.

        An index serves this query.
        """
        return self.filter(TROUBLE)

    def prunable(self, *kept: models.QuerySet[Any]) -> "OutboxQuerySet":
        """Returns the mail to prune: handed over or given up longer ago than KEPT.

        Mail about a row of `kept`, queries for invitations or links, is returned only if it was also stored longer ago
        than KEPT_ABOUT. Callers must name at least one query: without any, all mail is kept as long as that.
        """
        now = timezone.now()
        old = Q(sent_at__lt=now - KEPT) | Q(given_up_at__lt=now - KEPT)
        about_none = [~Exists(rows.filter(pk=OuterRef("about"))) for rows in kept]
        return self.filter(old, Q(*about_none) | Q(created_at__lt=now - KEPT_ABOUT))

    def withdraw(self) -> None:
        """Deletes this mail, but none that a worker has locked just now: waiting for its server may take long.

        Raises TransactionManagementError outside a transaction.
        """
        free = self.select_for_update(skip_locked=True)
        self.model.objects.filter(pk__in=list(free.values_list("pk", flat=True))).delete()

    def given_up(self) -> "OutboxQuerySet":
        return self.filter(given_up_at__isnull=False)

    def stale(self) -> "OutboxQuerySet":
        """Returns mail that was given up too long ago to be tried again (RETRIABLE) and still has its links."""
        return self.filter(given_up_at__lt=timezone.now() - RETRIABLE).exclude(parts={})

    def empty(self) -> int:
        """Empties the parts of this mail, and returns the number of rows."""
        return self.update(parts={})

    def requeue(self) -> None:
        """Makes this mail due now. Mail that was given up is then tried for as long as new mail.

        Callers must have locked the rows.
        """
        self.given_up().update(given_up_at=None, give_up_at=until_given_up())
        self.update(next_try_at=timezone.now(), published_at=None)

    def in_status(self, status: str) -> "OutboxQuerySet":
        """Returns the mail with this `status`, one of OutboxMessage.Status. Raises KeyError for any other text."""
        known = self.model.Status
        chosen: dict[str, OutboxQuerySet] = {
            known.QUEUED: self.waiting().filter(attempts=0),
            known.TRIED: self.waiting().filter(attempts__gt=0),
            known.SENT: self.filter(sent_at__isnull=False, bounced_at=None),
            known.BOUNCED: self.filter(bounced_at__isnull=False),
            known.GIVEN_UP: self.given_up().filter(sent_at=None, bounced_at=None),
        }
        return chosen[status]
