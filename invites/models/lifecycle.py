"""Acts on existing invitations: resend, extend, remind, revoke.

Each act locks its rows first, so a second one at the same time sees what the first has changed: two people who press
"Send again" at once send one mail. Invitations that must stay as they are get skipped, with a Reason in the Outcome.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Event, User
from invites.models.outcome import Outcome, Reason
from invites.models.reminders import Remind, RemindByHand
from invites.models.states import ONE_OPEN, UNTOLD, InviteStates
from invites.models.steps import Extend, Resend, Revoke, RevokeUnsent, StopMail, Verb

if TYPE_CHECKING:
    from invites.models.invite import Invite

CHUNK = 500  # rows in one transaction


Work = Callable[["Sequence[Invite]"], Verb]  # makes the verb for a chunk of locked invitations


class Lifecycle(InviteStates):
    """Acts on these invitations, however many they are: CHUNK of them in each transaction."""

    def resend(
        self, by: User | None = None, *, dry_run: bool = False, leaving: Iterator[datetime] | None = None
    ) -> Outcome:
        """Mails these invitations again, CHUNK in each transaction; see steps.Resend. Returns the outcome.

        `by` is the person who pressed, None for a command. The mails leave at the times of `leaving`, or now. With
        `dry_run` nothing is changed.
        """
        return self._each(partial(Resend, leaving=leaving), by, dry_run=dry_run)

    def extend(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Lengthens these invitations by their own lifetime, from their end or, if it has passed, from now.

        Returns the outcome. Sends no mail; see steps.Extend for what it skips. `by` is the person who pressed, None for
        a command. With `dry_run` nothing is changed.
        """
        return self._each(Extend, by, dry_run=dry_run)

    def revoke(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Withdraws those of these invitations that are open, and their mails that have not left. Returns the outcome.

        `by` is the person who pressed, None for a command. With `dry_run` nothing is changed.
        """
        return self._each(Revoke, by, dry_run=dry_run)

    def revoke_unsent(self, by: User) -> Outcome:
        """Withdraws those of these invitations of which no mail has left, with the mail that waits.

        Returns the outcome. Invitations of which a mail has left are skipped. `by` is the person who pressed.
        """
        return self._each(RevokeUnsent, by, dry_run=False)

    def stop_mails(self, by: User) -> Outcome:
        """Deletes the waiting mails of those of these invitations of which an earlier mail has left; they stay open.

        Returns the outcome. Invitations without a mail that waits are skipped. `by` is the person who pressed.
        """
        return self._each(StopMail, by, dry_run=False)

    def remind(self, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Sends the planned reminder of each of these invitations that is due for it; see Remind. Returns the outcome.

        `by` is the person who asked for it, None for a timer. With `dry_run` nothing is changed.
        """
        return self._each(Remind, by, dry_run=dry_run)

    def remind_by_hand(
        self, by: User, *, leaving: Iterator[datetime], note: str = "", longer: bool = False, dry_run: bool = False
    ) -> Outcome:
        """Reminds the people of these invitations for `by`, even if no reminder is planned; see RemindByHand.

        Returns the outcome. The mails have the line `note`, if any, and leave at the times of `leaving`. With `longer`
        the invitations also last LONGER than before. With `dry_run` nothing is changed.
        """
        return self._each(partial(RemindByHand, note=note, longer=longer, leaving=leaving), by, dry_run=dry_run)

    def remindable(self) -> Self:
        """Returns the pending invitations with a planned reminder whose time has come; some may not be due yet.

        An invitation whose reminder was planned longer ago than any may last has ended: its row is not even looked at.
        """
        now = timezone.now()
        return self.pending().filter(remind_at__lte=now, remind_at__gt=now - settings.INVITE_MAX_LIFETIME)

    def announce_expired(self) -> int:
        """Announces "invite.expired" to other services for each unanswered invitation whose end has passed.

        Each end is announced once: marked in the transaction that announces it, CHUNK invitations in each. Returns how
        many were announced. Invitations that another process has locked just now wait for the next call.
        """
        total = 0
        while count := self._announce_some_expired():
            total += count
        return total

    @transaction.atomic
    def _announce_some_expired(self) -> int:
        ended = self.filter(UNTOLD, expires_at__lte=timezone.now()).order_by("expires_at")[:CHUNK]
        locked = ended.select_for_update(skip_locked=True, no_key=True)
        rows = self.model.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))
        count = rows.update(told_end=F("expires_at"))
        if count:
            rows.announce_invites("invite.expired")
        return count

    def in_chunks(self) -> "Iterator[Lifecycle]":
        """Yields these rows as querysets of at most CHUNK ids. Rows that fit only later are not among them."""
        for keys in batched(self.values_list("pk", flat=True).iterator(), CHUNK):
            yield self.model.objects.filter(pk__in=keys)

    def _each(self, verb: Work, by: User | None, *, dry_run: bool) -> Outcome:
        return sum((rows.apply_step(verb, by, dry_run=dry_run) for rows in self.in_chunks()), Outcome())

    def apply_step(self, verb: Work, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Applies one verb to these invitations, which it locks; they must be few enough for one transaction.

        Returns the outcome: ids of what is done, addresses and reasons of what is skipped. Leaves out invitations of
        people who have left. Writes the history in the name of `by`. With `dry_run` nothing is locked or changed. If an
        address that had declined is invited by another request just now, all is read again: that invitation is then
        skipped.
        """
        while True:
            try:
                with transaction.atomic():
                    return self._apply(verb, by, dry_run=dry_run)
            except IntegrityError as error:
                if not is_rival(error):
                    raise

    def _apply(self, verb: Work, by: User | None, *, dry_run: bool) -> Outcome:
        """Does the work of apply_step() in the caller's transaction.

        If `verb` makes a Resend, raises IntegrityError if an address that had declined was invited just now.
        """
        known = self.exclude(email="").with_groups()  # the others were for people who have left
        rows = known.order_by("pk").select_related("invited_by")
        invites = list(rows if dry_run else rows.select_for_update(of=("self",), no_key=True))
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


def is_rival(error: IntegrityError) -> bool:
    """Returns whether the database refused an open invitation because its address has another."""
    told = getattr(error.__cause__, "diag", None)
    return getattr(told, "constraint_name", "") == ONE_OPEN
