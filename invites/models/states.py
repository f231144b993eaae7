"""Queries for invitations by their state and their mails, and changes to many that every act shares."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import User
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.invite import Invite  # noqa: F401 named in brackets, which ruff takes for a text
    from outbox.models.queryset import OutboxQuerySet

UNANSWERED = Q(accepted_at=None, declined_at=None, revoked_at=None)
OPEN = UNANSWERED & Q(replaced_at=None)

TROUBLED = 1000  # mails: more than staff look through, and few enough for one index look-up each


class Unavailable(Exception):
    """The link or the invitation is used, expired, declined, replaced or withdrawn, perhaps by another press just now.

    Also raised for an owner link once there is a superuser.
    """


class InviteStates(models.QuerySet["Invite"]):
    """Queries for invitations by their state and their mails, and changes to many at once."""

    def open(self) -> Self:
        """Returns the invitations that are not accepted, declined, revoked or replaced; they may have expired."""
        return self.filter(OPEN)

    def pending(self) -> Self:
        """Returns the invitations that are open and not expired."""
        return self.open().filter(expires_at__gt=timezone.now())

    def expired(self) -> Self:
        """Returns the invitations past their end that were not accepted, declined or revoked.

        Replaced ones are among them: each had expired before it was replaced.
        """
        return self.filter(UNANSWERED, expires_at__lte=timezone.now())

    def accepted(self) -> Self:
        return self.filter(accepted_at__isnull=False)

    def in_state(self, state: str) -> Self:
        """Returns the invitations in `state`, a value of Invite.State. Raises KeyError if there is no such state."""
        known = self.model.State
        chosen: dict[str, Callable[[], Self]] = {
            known.PENDING: self.pending,
            known.ACCEPTED: self.accepted,
            known.DECLINED: lambda: self.filter(accepted_at=None, declined_at__isnull=False),
            known.REVOKED: lambda: self.filter(accepted_at=None, declined_at=None, revoked_at__isnull=False),
            known.EXPIRED: self.expired,
        }
        return chosen[state]()

    def in_trouble(self) -> Self:
        """Returns the invitations whose newest mail came back, was given up, or failed at least twice and still waits.

        Only the newest TROUBLED of all such mails are looked at.
        """
        troubled = OutboxMessage.objects.in_trouble().filter(about__isnull=False).order_by("-id")[:TROUBLED]
        return self._with_newest(OutboxMessage.objects.filter(pk__in=troubled.values("pk")))

    def bounced(self) -> Self:
        """Returns the invitations whose newest mail came back."""
        return self._with_newest(OutboxMessage.objects.in_status(OutboxMessage.Status.BOUNCED))

    def _with_newest(self, mails: "OutboxQuerySet") -> Self:
        """Returns the invitations whose newest mail is one of `mails`."""
        later = OutboxMessage.objects.filter(about=OuterRef("about"), id__gt=OuterRef("id"))
        newest = mails.filter(~Exists(later), about__isnull=False)
        return self.filter(pk__in=newest.values("about"))

    def mark_sent_again(self, until: datetime) -> None:
        """Notes in the stored rows that these invitations are mailed again. Sends no mail; runs two statements.

        They last until `until`, or longer if they did, and so do their unused links, except to addresses that have an
        account. Declined ones are open again: raises IntegrityError if the address has another open invitation. Select
        the rows by columns that this does not change, such as their ids.
        """
        now, longer = timezone.now(), Greatest("expires_at", until)
        self.update(declined_at=None, expires_at=longer, sent_at=now, sends=F("sends") + 1)
        self.update_links(expires_at=longer, sent_at=now, epoch=None)

    def update_links(self, **terms: Any) -> None:
        """Sets the columns `terms` of the unused links of these invitations: their own, and those holders asked for.

        Links to an address that has an account by now stay as they are: nobody else may prolong a link that signs in.
        """
        in_use = Exists(User.objects.filter(email=OuterRef("email")))
        self._links.filter(~in_use, invite__in=self.order_by().values("pk"), used_at=None).update(**terms)

    def withdraw_mails(self) -> None:
        """Deletes the mails about these invitations and their links that have not left: they would bring dead links.

        A mail that a worker is handing over just now stays.
        """
        # An invitation's own link has the id of the invitation, so mail about the invitation is found by it.
        links = self._links.filter(invite__in=self.order_by().values("pk"))
        OutboxMessage.objects.waiting().filter(about__in=links.values("pk")).withdraw()

    @property
    def _links(self) -> Any:
        """The manager of all magic links. Their module imports this one, so it can't be imported here."""
        model: Any = self.model
        return model.links.rel.related_model.objects
