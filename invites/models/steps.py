"""The verbs that act on a chunk of locked invitations: which invitations each refuses and why, and what it does."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts.models import Event
from invites import mails
from invites.models.joining import accounts_of, lacks
from invites.models.outcome import Reason
from outbox.models import OutboxMessage, Suppression

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from invites.models.queryset import InviteQuerySet

LINK_LIFETIME = timedelta(hours=1)  # of a link that a visitor asks for; and for so long does every link sign in
SENT_JUST_NOW = timedelta(minutes=1)  # after a mail, before which the same mail is not sent again


class Known:
    """What the site knows of the people of some invitations: each is read in one statement when it is first needed."""

    def __init__(self, invites: "Sequence[Invite]") -> None:
        self.emails = [invite.email for invite in invites]

    @cached_property
    def accounts(self) -> dict[str, Any]:
        """Their accounts by address, as accounts_of() returns them."""
        return accounts_of(self.emails)

    @cached_property
    def suppressed(self) -> dict[str, Suppression]:
        """The suppressed addresses among theirs."""
        return Suppression.objects.among(self.emails)


class Verb:
    """An act on a chunk of locked invitations: `refusal` says which to leave alone, `apply` changes the others."""

    kind: ClassVar[Event.Kind]

    def __init__(self, invites: "Sequence[Invite]", known: Known | None = None) -> None:
        """Reads what `refusal` needs to know about all of these invitations, in a fixed number of statements.

        `known` is of these very invitations, if another verb has read it just now.
        """
        self.now = timezone.now()
        self.known = known or Known(invites)

    def refusal(self, invite: "Invite") -> Reason | None:
        """Returns the reason why this invitation must be left alone, or None if the verb applies to it."""
        if invite.accepted_at:
            return Reason.ACCEPTED
        if invite.revoked_at:
            return Reason.REVOKED
        if invite.replaced_at:
            return Reason.REPLACED
        return Reason.DECLINED if invite.declined_at else None

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        """Changes the invitations that were not refused: `rows` is their query, `invites` are the rows read."""
        raise NotImplementedError


class Revoke(Verb):
    """The verb that withdraws open invitations, and deletes their mails that have not left."""

    kind = Event.Kind.REVOKED

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.update(revoked_at=self.now)
        rows.withdraw_mails()
        rows.announce_invites("invite.revoked")


class RevokeUnsent(Revoke):
    """The verb that withdraws only invitations of which a mail waits and none has left; that mail is never sent."""

    def __init__(self, invites: "Sequence[Invite]") -> None:
        super().__init__(invites)
        waiting, mailed = sort_by_mail(invites)
        self.unsent = waiting - mailed

    def refusal(self, invite: "Invite") -> Reason | None:
        return super().refusal(invite) or (None if invite.pk in self.unsent else Reason.LEFT)


class StopMail(Verb):
    """The verb that deletes a mail that waits, of invitations of which an earlier one has left: they stay open.

    That mail is a reminder, or the invitation sent again: it then counts as neither.
    """

    kind = Event.Kind.STOPPED

    def __init__(self, invites: "Sequence[Invite]") -> None:
        super().__init__(invites)
        waiting, mailed = sort_by_mail(invites)
        self.stoppable = waiting & mailed

    def refusal(self, invite: "Invite") -> Reason | None:
        return super().refusal(invite) or (None if invite.pk in self.stoppable else Reason.LEFT)

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        mails = OutboxMessage.objects.filter(about__in=[invite.pk for invite in invites])
        mails.waiting().withdraw()
        reminded = [invite.pk for invite in invites if invite.reminded_at and invite.reminded_at > last_sent(invite)]
        left = OutboxMessage.objects.filter(about=OuterRef("pk"), sent_at__isnull=False).order_by("-id")
        rows.exclude(pk__in=reminded).update(sent_at=Coalesce(Subquery(left.values("sent_at")[:1]), "sent_at"))
        # An earlier reminder, if any, was sent so long ago that it no longer matters when.
        rows.filter(pk__in=reminded).update(reminded_at=None, reminders=F("reminders") - 1)


def sort_by_mail(invites: "Sequence[Invite]") -> tuple[set[UUID], set[UUID]]:
    """Returns the ids of those of these invitations of which a mail waits, and of those of which one has left.

    Locks the mails that wait, so that they stay. A worker has locked the mail that it is handing over just now: it
    counts as left.
    """
    mails = OutboxMessage.objects.filter(about__in=[invite.pk for invite in invites])
    waiting: dict[int, Any] = dict(mails.waiting().select_for_update(skip_locked=True).values_list("pk", "about"))
    handed_over = mails.filter(Q(given_up_at=None) | Q(sent_at__isnull=False)).exclude(pk__in=waiting)
    mailed: Iterable[Any] = handed_over.values_list("about", flat=True)
    return set(waiting.values()), set(mailed)


def last_sent(invite: "Invite") -> datetime:
    """Returns when an invitation was last mailed, apart from reminders of it."""
    return invite.sent_at or invite.created_at


class Extend(Verb):
    """The verb that lengthens open invitations and their links by their own lifetime, without a mail.

    Counts from their end or, if it has passed, from now; none ends later than INVITE_MAX_LIFETIME from now by this.
    Refuses those from members, and those to an address that has
    an account and joins no group by them.
    """

    kind = Event.Kind.EXTENDED
    # Members see the end of their invitations. If it changed for some addresses only, that would tell the member who
    # has an account: so an act that changes what members see is refused for all invitations from members.
    shows_to_members: ClassVar[bool] = True

    def refusal(self, invite: "Invite") -> Reason | None:
        if self.shows_to_members and invite.source == invite.Source.MEMBER:
            return Reason.BY_MEMBER
        account = self.known.accounts.get(invite.email)
        is_idle = account is not None and not lacks(account, invite.group_ids)
        return super().refusal(invite) or (Reason.HAS_ACCOUNT if is_idle else None)

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.move_end(Greatest("expires_at", self.now) + F("lifetime"))


class Mailing(Extend):
    """The base of verbs that mail the invited person: an Extend that also refuses addresses to which no mail may go."""

    def refusal(self, invite: "Invite") -> Reason | None:
        return super().refusal(invite) or (Reason.SUPPRESSED if invite.email in self.known.suppressed else None)


class Resend(Mailing):
    """The verb that mails invitations again, so that they last their own lifetime from now, or longer if they did.

    Older links go on working; older mails that wait are deleted. Declined invitations are open again, unless their
    owner has opted out of all mail. Refuses what was sent within the last minute, and all that Mailing refuses.
    """

    kind = Event.Kind.RESENT

    def __init__(
        self, invites: "Sequence[Invite]", known: Known | None = None, *, leaving: Iterator[datetime] | None = None
    ) -> None:
        """Reads what refusal() needs. The mails are to leave at the times that `leaving` yields, or now."""
        super().__init__(invites, known)
        self.leaving = leaving
        declined = [invite.email for invite in invites if invite.declined_at]
        self.invited: set[str] = set()
        if declined:
            others = type(invites[0]).objects.open().exclude(source=invites[0].Source.MEMBER)
            self.invited |= set(others.filter(email__in=declined).values_list("email", flat=True))

    def refusal(self, invite: "Invite") -> Reason | None:
        reason = super().refusal(invite)
        if reason == Reason.DECLINED:  # it may be sent again, unless its owner has opted out of all mail
            if invite.email in self.known.suppressed:
                return Reason.SUPPRESSED
            reason = Reason.INVITED if invite.email in self.invited else None
            self.invited.add(invite.email)
        return reason or (Reason.TOO_SOON if self.again_at(invite) else None)

    def again_at(self, invite: "Invite") -> datetime | None:
        """Returns the time from which this invitation can be sent again, or None if that is now."""
        at = last_sent(invite) + SENT_JUST_NOW
        return at if at > self.now else None

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        rows.mark_sent_again()
        for invite in invites:
            invite.expires_at = max(invite.expires_at, self.now + invite.lifetime)
        # An older mail that has not left yet would arrive beside the new one.
        OutboxMessage.objects.waiting().filter(about__in=[invite.pk for invite in invites]).withdraw()
        OutboxMessage.objects.bulk_create(mails.invitations(invites, self.leaving, self.known.accounts))
