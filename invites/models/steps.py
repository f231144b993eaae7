"""What can be done with a chunk of locked invitations: whom each verb leaves alone and why, and what it does."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models.outcome import Reason
from outbox.models import OutboxMessage, Suppression

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from invites.models.queryset import InviteQuerySet

INVITE_LIFETIME = timedelta(days=7)  # of what somebody else sends
LINK_LIFETIME = timedelta(hours=1)  # of what people ask for themselves, and of what signs in
SENT_JUST_NOW = timedelta(minutes=1)  # nobody needs the same mail twice within it
REMIND_BEFORE = timedelta(days=2)  # the end
REMIND_AFTER = timedelta(days=1)  # since the mail, or since its link was opened


class Verb:
    """One thing that is done to a chunk of locked invites."""

    kind: ClassVar[Event.Kind]

    def __init__(self, invites: "Sequence[Invite]") -> None:
        """Reads what `refusal` asks for, in as many statements for all as for one."""
        emails = [invite.email for invite in invites]
        self.now = timezone.now()
        self.members = set(User.objects.filter(email__in=emails).values_list("email", flat=True))

    def refusal(self, invite: "Invite") -> Reason | None:
        """Why it does not apply, if it does not."""
        if invite.accepted_at:
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
        rows.withdraw_mails()


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
    # Members must not see of what they sent whether it could be done: that would tell who has an account.
    shows_to_members: ClassVar[bool] = True

    def refusal(self, invite: "Invite") -> Reason | None:
        if self.shows_to_members and invite.source == invite.Source.MEMBER:
            return Reason.BY_MEMBER
        # What signs in lives as briefly as what people ask for themselves.
        return super().refusal(invite) or (Reason.HAS_ACCOUNT if invite.email in self.members else None)

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        later = Greatest("expires_at", self.now) + INVITE_LIFETIME
        rows.update(expires_at=later)
        rows.update_links(expires_at=later)


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
            others = type(invites[0]).objects.open().exclude(source=invites[0].Source.MEMBER)
            self.invited |= set(others.filter(email__in=declined).values_list("email", flat=True))

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
        rows.mark_sent_again(until)
        for invite in invites:
            invite.expires_at = max(invite.expires_at, until)
        # One that has not left yet is not to arrive beside this one.
        OutboxMessage.objects.waiting().filter(about__in=[invite.pk for invite in invites]).withdraw()
        OutboxMessage.objects.bulk_create(mails.invitations(invites, self.leaving))


class Remind(Mailing):
    """Once, shortly before the end, unless its holder has just looked at it."""

    kind = Event.Kind.REMINDED
    shows_to_members = False

    def refusal(self, invite: "Invite") -> Reason | None:
        seen_at = max(filter(None, (invite.created_at, invite.sent_at, invite.opened_at)))
        ends_soon = self.now < invite.expires_at <= self.now + REMIND_BEFORE
        due = ends_soon and not invite.reminded_at and seen_at <= self.now - REMIND_AFTER
        return super().refusal(invite) or (None if due else Reason.NOT_DUE)

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.update(reminded_at=self.now)
        OutboxMessage.objects.bulk_create([mails.reminder(invite) for invite in invites])
