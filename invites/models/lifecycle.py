"""What is done with invitations that exist: sent again, extended, reminded of, withdrawn.

A verb locks its rows first, so whoever comes second finds what the first has left: two who press "Send again" in the
same moment send one mail. What it must leave alone it skips, and says why.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Self

from django.db import transaction
from django.utils import timezone

from accounts.models import Event, User
from invites.models.outcome import Outcome, Reason
from invites.models.states import InviteStates
from invites.models.steps import REMIND_BEFORE, Extend, Remind, Resend, Revoke, RevokeUnsent, Verb

if TYPE_CHECKING:
    from invites.models.invite import Invite

CHUNK = 500  # rows in one transaction


Work = Callable[["Sequence[Invite]"], Verb]


class Lifecycle(InviteStates):
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
        return self.pending().filter(expires_at__lte=timezone.now() + REMIND_BEFORE, reminded_at=None)

    def in_chunks(self) -> "Iterator[Lifecycle]":
        """The rows there are now, CHUNK of them at a time."""
        for keys in batched(self.values_list("pk", flat=True).iterator(), CHUNK):
            yield self.model.objects.filter(pk__in=keys)

    def _each(self, verb: Work, by: User | None, *, dry_run: bool) -> Outcome:
        return sum((rows.apply_step(verb, by, dry_run=dry_run) for rows in self.in_chunks()), Outcome())

    @transaction.atomic
    def apply_step(self, verb: Work, by: User | None = None, *, dry_run: bool = False) -> Outcome:
        """Does one thing to all of these, who are few enough for one transaction."""
        known = self.exclude(email="")  # whom the others were for has left
        locked = known.order_by("pk").select_related("invited_by").select_for_update(of=("self",), no_key=True)
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
