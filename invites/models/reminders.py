"""Reminders of invitations: when they are planned, and the verbs that send them, by a timer or by hand."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Case, DateTimeField, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Greatest, Least

from accounts.models import Event
from invites import mails
from invites.models import lifetimes
from invites.models.outcome import Reason
from invites.models.states import FAILED
from invites.models.steps import Known, Mailing, last_sent
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from invites.models.queryset import InviteQuerySet

MOST = 3  # reminders of one invitation, planned and by hand
APART = timedelta(days=1)  # between two reminders to one address
# The last planned reminder comes so long before the end, and none so soon after the last mail or the last opening. An
# invitation that lasts less than four days is reminded of in the middle, a quarter of its time after these.
BEFORE, AFTER = timedelta(days=2), timedelta(days=1)
LONGER = timedelta(days=7)  # which a reminder by hand may add to the time of the invitation
# What keeps a reminder by hand back while the newest mail is in this state.
NOT_ARRIVED = {
    OutboxMessage.Status.QUEUED: Reason.WAITS,
    OutboxMessage.Status.TRIED: Reason.WAITS,
    **dict.fromkeys(FAILED, Reason.CAME_BACK),
}


def plan(start: datetime, end: datetime) -> datetime | None:
    """Returns when the first reminder of an invitation from `start` to `end` is due; None if the site plans none."""
    count, lasts = settings.INVITE_REMINDERS, end - start
    if not count:
        return None
    first = end - min(BEFORE, lasts / 2) - (count - 1) * settings.INVITE_REMIND_EVERY
    return max(first, start + min(AFTER, lasts / 2))


def quiet_until(invite: "Invite") -> datetime:
    """Returns until when no planned reminder goes out: AFTER the last mail or opening, or sooner for a short one."""
    seen_at = max(filter(None, (invite.created_at, invite.sent_at, invite.opened_at)))
    return seen_at + pause(invite)


def pause(invite: "Invite") -> timedelta:
    """Returns how long after a mail, or an opening, no reminder of this invitation goes out: AFTER at most."""
    return min(AFTER, invite.lifetime / 4)


def is_quiet(now: datetime) -> Q:
    """Returns the condition for invitations whose last mail or reminder is so young that none is reminded of `now`."""
    quarter = ExpressionWrapper(F("lifetime") / 4, DurationField())
    since = ExpressionWrapper(Value(now) - Least(Value(AFTER), quarter), DateTimeField())
    return Q(reminded_at__gt=now - APART) | Q(sent_at__gt=since)


class Remind(Mailing):
    """The verb that sends the planned reminders that are due and, if the site wants more of them, plans the next.

    One is due when its time has come, but not soon after the last mail or the last opening. Refuses an address that was
    sent another reminder within APART, and an invitation that had MOST of them.
    """

    kind = Event.Kind.REMINDED
    shows_to_members = False
    note = ""  # a line that stands in the mail
    leaving: Iterator[datetime] | None = None  # when the mails leave; None is now

    def __init__(self, invites: "Sequence[Invite]", known: Known | None = None) -> None:
        super().__init__(invites, known)
        self.reminded: set[str] = set()
        if invites:
            lately = type(invites[0]).objects.filter(reminded_at__gt=self.now - APART)
            emails = lately.filter(email__in=[invite.email for invite in invites]).values_list("email", flat=True)
            self.reminded = set(emails)

    def refusal(self, invite: "Invite") -> Reason | None:
        reason = super().refusal(invite) or self.bar(invite) or self.delay(invite)
        if reason is None:
            self.reminded.add(invite.email)  # another invitation to it may be among these
        return reason

    def bar(self, invite: "Invite") -> Reason | None:
        """Returns the reason why this invitation may not be reminded of now, even by hand, or None."""
        if invite.expires_at <= self.now:
            return Reason.EXPIRED
        if invite.email in self.reminded:
            return Reason.REMINDED
        return Reason.ENOUGH if invite.reminders >= MOST else None

    def delay(self, invite: "Invite") -> Reason | None:
        """Returns NOT_DUE unless a planned reminder is due."""
        is_due = invite.remind_at and max(invite.remind_at, quiet_until(invite)) <= self.now
        return None if is_due else Reason.NOT_DUE

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        following = Greatest(F("remind_at"), Value(self.now + settings.INVITE_REMIND_EVERY))
        is_wanted = {"remind_at__isnull": False, "reminders__lt": settings.INVITE_REMINDERS - 1}
        planned = Case(When(**is_wanted, expires_at__gt=following, then=following))
        rows.update(reminded_at=self.now, reminders=F("reminders") + 1, remind_at=planned)
        rows.wake_links()
        mails.name_groups([invite for invite in invites if invite.email in self.known.accounts])
        letters = [mails.reminder(invite, self.known.accounts.get(invite.email), self.note) for invite in invites]
        for letter in letters if self.leaving else ():
            letter.schedule(next(self.leaving))  # type: ignore[arg-type]
        OutboxMessage.objects.bulk_create(letters)


class RemindByHand(Remind):
    """The verb that reminds people because somebody wants it now, with a line of that person's own.

    It may also lengthen the invitations by LONGER, except those from members, who see their end. Refuses, beside what
    Remind refuses, an invitation whose newest mail still waits, or did not arrive, or was sent less than pause() ago;
    whether one is planned is no matter.
    """

    def __init__(
        self,
        invites: "Sequence[Invite]",
        known: Known | None = None,
        *,
        note: str = "",
        longer: bool = False,
        leaving: Iterator[datetime],
    ) -> None:
        super().__init__(invites, known)
        self.note, self.longer, self.leaving = note, longer, leaving
        OutboxMessage.objects.attach_newest(invite for invite in invites if "newest_mail" not in vars(invite))

    def delay(self, invite: "Invite") -> Reason | None:
        """Returns WAITS, CAME_BACK or RECENT if the newest mail waits, did not arrive, or is too young; or None."""
        if invite.delivery in NOT_ARRIVED:
            return NOT_ARRIVED[invite.delivery]
        return Reason.RECENT if last_sent(invite) + pause(invite) > self.now else None

    def apply(self, rows: "InviteQuerySet", invites: "Sequence[Invite]") -> None:
        if self.longer:
            member = invites[0].Source.MEMBER
            lengthened = [invite for invite in invites if invite.source != member]
            rows.filter(pk__in=[invite.pk for invite in lengthened]).move_end(F("expires_at") + LONGER)
            for invite in lengthened:
                invite.expires_at = lifetimes.lengthened(invite.expires_at, LONGER)
        super().apply(rows, invites)
