"""Which invitations there are, by what became of them. Every other question about many is asked in these words."""

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

TROUBLED = 1000  # mails: more than anybody looks through, and few enough to look them up one by one


class Unavailable(Exception):
    """Somebody was faster, or the link or the invitation is used, expired, declined or revoked."""


class InviteStates(models.QuerySet["Invite"]):
    def open(self) -> Self:
        """Not accepted, declined, revoked or replaced; perhaps expired."""
        return self.filter(OPEN)

    def pending(self) -> Self:
        """Open and not expired."""
        return self.open().filter(expires_at__gt=timezone.now())

    def expired(self) -> Self:
        """Ended without an answer; what was replaced had ended then, too."""
        return self.filter(UNANSWERED, expires_at__lte=timezone.now())

    def accepted(self) -> Self:
        return self.filter(accepted_at__isnull=False)

    def in_state(self, state: str) -> Self:
        """Those whose `state` it is. Raises KeyError when there is no such state."""
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
        """Those whose newest mail came back, was given up, or was refused more than once so far.

        It looks through no more than the newest TROUBLED of such mails.
        """
        troubled = OutboxMessage.objects.in_trouble().filter(about__isnull=False).order_by("-id")[:TROUBLED]
        return self._with_newest(OutboxMessage.objects.filter(pk__in=troubled.values("pk")))

    def bounced(self) -> Self:
        """Those whose newest mail came back."""
        return self._with_newest(OutboxMessage.objects.in_status(OutboxMessage.Status.BOUNCED))

    def _with_newest(self, mails: "OutboxQuerySet") -> Self:
        """Those whose newest mail is one of these."""
        later = OutboxMessage.objects.filter(about=OuterRef("about"), id__gt=OuterRef("id"))
        newest = mails.filter(~Exists(later), about__isnull=False)
        return self.filter(pk__in=newest.values("about"))

    def mark_sent_again(self, until: datetime) -> None:
        """Starts their time again, which never becomes shorter; a declined one is open again.

        For rows that are chosen by what this does not change, as their ids.
        """
        now, longer = timezone.now(), Greatest("expires_at", until)
        self.update(declined_at=None, expires_at=longer, sent_at=now, sends=F("sends") + 1)
        self.update_links(expires_at=longer, sent_at=now, epoch=None)

    def update_links(self, **terms: Any) -> None:
        """Changes their unused links, their own and those that their holders asked for.

        Not those to an address that has an account by now: what signs in is not for others to lengthen.
        """
        in_use = Exists(User.objects.filter(email=OuterRef("email")))
        self._links.filter(~in_use, invite__in=self.order_by().values("pk"), used_at=None).update(**terms)

    def withdraw_mails(self) -> None:
        """Takes back mail that has not left, with whichever of their links: it would bring a dead one."""
        # An invitation's own link has its id, so mail about the invitation is among these.
        links = self._links.filter(invite__in=self.order_by().values("pk"))
        OutboxMessage.objects.waiting().filter(about__in=links.values("pk")).withdraw()

    @property
    def _links(self) -> Any:
        """The manager of all links: their model stands on this one, so it can't be imported here."""
        model: Any = self.model
        return model.links.rel.related_model.objects
