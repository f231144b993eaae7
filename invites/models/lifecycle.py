"""What is done with invites that exist: sent again, extended, reminded of, withdrawn, declined.

A verb locks its rows first, so whoever comes second finds what the first has left: two who press "Send again" in the
same moment send one mail. What it must leave alone it skips, and says why.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, User
from invites import mails
from mail.models import OutboxMessage, Suppression

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from invites.models.queryset import InviteQuerySet

INVITE_LIFETIME = timedelta(days=7)  # of what somebody else sends
CHUNK = 500  # rows in one transaction
SENT_JUST_NOW = timedelta(minutes=1)  # nobody needs the same mail twice within it
REMIND_BEFORE = timedelta(days=2)  # the end
REMIND_AFTER = timedelta(days=1)  # since the mail, or since its link was opened


class InviteUnavailable(Exception):
    """Somebody was faster, or the invite is expired, declined or revoked."""


class Reason(models.TextChoices):
    """Why an invite was left as it is, or an address was not invited."""

    ACCEPTED = "accepted", _("accepted already")
    DECLINED = "declined", _("declined")
    REVOKED = "revoked", _("withdrawn")
    REPLACED = "replaced", _("replaced by a newer one")
    ASKED = "asked", _("asked for by its owner, who can ask again")
    OWNER = "owner", _("owner link, which leaves the terminal only by hand")
    HAS_ACCOUNT = "has_account", _("has an account")
    INVITED = "invited", _("invited already")
    REPEATED = "repeated", _("repeated")
    SUPPRESSED = "suppressed", _("no mail goes to the address")
    TOO_SOON = "too_soon", _("sent less than a minute ago")
    NOT_DUE = "not_due", _("needs no reminder")
    LEFT = "left", _("the mail has left")
    SHADOW = "shadow", _("only what a member sees of an invitation")


@dataclass
class Outcome:
    """What a verb has done, and what it has skipped and why."""

    done: list[UUID] = field(default_factory=list)
    skipped: list[tuple[str, Reason]] = field(default_factory=list)  # addresses
    # When those can be sent again that were sent just now.
    again_at: datetime | None = None

    def __add__(self, other: "Outcome") -> "Outcome":
        times = [time for time in (self.again_at, other.again_at) if time]
        return Outcome(self.done + other.done, self.skipped + other.skipped, max(times, default=None))


class Verb:
    """One thing that is done to a chunk of locked invites."""

    kind: ClassVar[Event.Kind]
    withdraws_mail = False

    def __init__(self, invites: "Sequence[Invite]") -> None:
        """Reads what `refusal` asks for, in as many statements for all as for one."""
        emails = [invite.email for invite in invites]
        self.now = timezone.now()
        self.members = set(User.objects.filter(email__in=emails).values_list("email", flat=True))

    def refusal(self, invite: "Invite") -> Reason | None:
        """Why it does not apply, if it does not."""
        if invite.claimed_at:
            return Reason.ACCEPTED
        if invite.revoked_at:
            return Reason.REVOKED
        if invite.replaced_at:
            return Reason.REPLACED
        return Reason.DECLINED if invite.declined_at else None

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        raise NotImplementedError


class Revoke(Verb):
    kind = Event.Kind.REVOKED

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.update(revoked_at=self.now)
        type(invites[0]).objects.shadows_of(invites).pending().update(revoked_at=self.now)
        # A mail that has not left would bring a dead link.
        OutboxMessage.objects.waiting().filter(about__in=[invite.pk for invite in invites]).withdraw()


class RevokeUnsent(Revoke):
    """Only those whose mail still waits; nobody ever hears of them."""

    def __init__(self, invites: "Sequence[Invite]") -> None:
        super().__init__(invites)
        waiting = OutboxMessage.objects.waiting().filter(about__in=[invite.pk for invite in invites])
        # A mail that a worker is handing over is as good as gone.
        self.unsent = set(waiting.select_for_update(skip_locked=True).values_list("about", flat=True))

    def refusal(self, invite: "Invite") -> Reason | None:
        return super().refusal(invite) or (None if invite.pk in self.unsent else Reason.LEFT)


class Extend(Verb):
    kind = Event.Kind.EXTENDED

    def refusal(self, invite: "Invite") -> Reason | None:
        if invite.source == invite.Source.SELF:
            return Reason.ASKED
        if invite.source == invite.Source.OWNER:
            return Reason.OWNER
        if invite.source == invite.Source.SHADOW:
            return Reason.SHADOW
        # What signs in lives as briefly as what people ask for themselves.
        return super().refusal(invite) or (Reason.HAS_ACCOUNT if invite.email in self.members else None)

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.update(expires_at=Greatest("expires_at", self.now) + INVITE_LIFETIME)


class Mailing(Extend):
    """Verbs that mail the person."""

    def __init__(self, invites: "Sequence[Invite]") -> None:
        super().__init__(invites)
        self.suppressed = Suppression.objects.among(invite.email for invite in invites)

    def refusal(self, invite: "Invite") -> Reason | None:
        return super().refusal(invite) or (Reason.SUPPRESSED if invite.email in self.suppressed else None)


class Resend(Mailing):
    """Its time starts anew, its older links go on working, and a declined one is open again."""

    kind = Event.Kind.RESENT

    def __init__(self, invites: "Sequence[Invite]", leaving: Iterator[datetime] | None = None) -> None:
        super().__init__(invites)
        self.leaving = leaving
        declined = [invite.email for invite in invites if invite.declined_at]
        self.invited: set[str] = set()
        if declined:
            standing = type(invites[0]).objects.standing().filter(email__in=declined)
            self.invited |= set(standing.values_list("email", flat=True))

    def refusal(self, invite: "Invite") -> Reason | None:
        reason = super().refusal(invite)
        if reason == Reason.DECLINED:  # no "no" is for ever, but for that to all mail
            if invite.email in self.suppressed:
                return Reason.SUPPRESSED
            reason = Reason.INVITED if invite.email in self.invited else None
            self.invited.add(invite.email)
        return reason or (Reason.TOO_SOON if self.again_at(invite) else None)

    def again_at(self, invite: "Invite") -> datetime | None:
        """When it can be sent again, if that is not now."""
        at = (invite.sent_at or invite.created_at) + SENT_JUST_NOW
        return at if at > self.now else None

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        until = self.now + INVITE_LIFETIME
        rows.update(
            declined_at=None,
            epoch=None,
            expires_at=Greatest("expires_at", until),
            sent_at=self.now,
            sends=models.F("sends") + 1,
        )
        for invite in invites:
            invite.expires_at = max(invite.expires_at, until)
        OutboxMessage.objects.bulk_create(mails.invitations(invites, self.leaving))


class Remind(Mailing):
    """Once, shortly before the end, unless its holder has just looked at it."""

    kind = Event.Kind.REMINDED

    def refusal(self, invite: "Invite") -> Reason | None:
        seen_at = max(filter(None, (invite.created_at, invite.sent_at, invite.opened_at)))
        ends_soon = self.now < invite.expires_at <= self.now + REMIND_BEFORE
        due = ends_soon and not invite.reminded_at and seen_at <= self.now - REMIND_AFTER
        return super().refusal(invite) or (None if due else Reason.NOT_DUE)

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.update(reminded_at=self.now)
        OutboxMessage.objects.bulk_create([mails.reminder(invite) for invite in invites])


Work = Callable[["Sequence[Invite]"], Verb]


class LifecycleQuerySet(models.QuerySet["Invite"]):
    def resend(
        self, by: User | None = None, *, dry_run: bool = False, leaving: Iterator[datetime] | None = None
    ) -> Outcome:
        """Mails them again. `by` is who wished it, None for a command or a timer.

        Their mails leave at the times that `leaving` gives, or now.
        """
        return self._each(partial(Resend, leaving=leaving), by, dry_run=dry_run)

    def extend(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Lengthens them by INVITE_LIFETIME, from their end or from now; no mail."""
        return self._each(Extend, by, dry_run=dry_run)

    def revoke(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Withdraws them, and the mails of theirs that have not left."""
        return self._each(Revoke, by, dry_run=dry_run)

    def revoke_unsent(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """The same with those whose mail has not left, and no others."""
        return self._each(RevokeUnsent, by, dry_run=dry_run)

    def remind(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        return self._each(Remind, by, dry_run=dry_run)

    def remindable(self) -> Self:
        """Those that may be due for a reminder."""
        now = timezone.now()
        ends_soon = self.filter(expires_at__gt=now, expires_at__lte=now + REMIND_BEFORE, reminded_at=None)
        open_rows = ends_soon.filter(claimed_at=None, declined_at=None, revoked_at=None, replaced_at=None)
        return open_rows.exclude(source__in=[self.model.Source.SELF, *self.model.UNLINKED])

    def in_chunks(self) -> "Iterator[LifecycleQuerySet]":
        """The rows there are now, CHUNK of them at a time."""
        for keys in batched(self.values_list("pk", flat=True).iterator(), CHUNK):
            yield self.model.objects.filter(pk__in=keys)

    def _each(self, verb: Work, by: User | None, *, dry_run: bool) -> Outcome:
        return sum((rows.steer(verb, by, dry_run=dry_run) for rows in self.in_chunks()), Outcome())

    @transaction.atomic
    def steer(self, verb: Work, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Does one thing to all of these, who are few enough for one transaction."""
        locked = self.order_by("pk").select_related("invited_by").select_for_update(of=("self",))
        invites = list(locked)
        work, outcome, chosen = verb(invites), Outcome(), []
        for invite in invites:
            reason = work.refusal(invite)
            if reason is None:
                chosen.append(invite)
                continue
            outcome.skipped.append((invite.email, reason))
            if reason == Reason.TOO_SOON and isinstance(work, Resend):
                outcome.again_at = max(filter(None, (outcome.again_at, work.again_at(invite))))
        outcome.done = [invite.pk for invite in chosen]
        if chosen and not dry_run:
            work.apply(self.model.objects.filter(pk__in=outcome.done), chosen)
            Event.objects.bulk_create([Event(kind=work.kind, user=by, about=invite.pk) for invite in chosen])
        return outcome
