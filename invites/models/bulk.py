"""Inviting many at once: a few statements for hundreds of people, and mails that leave in step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models.lifecycle import Lifecycle
from invites.models.outcome import Outcome, Reason
from invites.models.steps import INVITE_LIFETIME
from outbox.models import OutboxMessage, Suppression

if TYPE_CHECKING:
    from invites.models.invite import Invite

RATE = 20.0  # mails a second: what one worker carries easily, so that who asks for a link meanwhile need not wait


@dataclass(frozen=True)
class Entry:
    """One person to be invited, with a normalized address."""

    email: str
    name: str = ""
    note: str = ""
    language: str = ""
    next: str = ""
    group_id: int | None = None


def in_step(rate: float = RATE) -> Iterator[datetime]:
    """When each of many mails is to leave: `rate` of them a second, from now on."""
    start, pause = timezone.now(), timedelta(seconds=1 / rate)
    number = 0
    while True:
        yield max(start + number * pause, timezone.now())
        number += 1


class Bulk(Lifecycle):
    def issue_many(
        self,
        entries: Sequence[Entry],
        *,
        source: str,
        invited_by: User | None = None,
        batch: str = "",
        leaving: Iterator[datetime] | None = None,
    ) -> Outcome:
        """Invites some hundreds of people, each address once, in one transaction; skips who is in or invited already.

        Their mails leave at the times that `leaving` gives. To be repeated after a crash: nobody is invited twice.
        """
        now = timezone.now()
        given = {"source": source, "invited_by": invited_by, "batch": batch, "created_at": now, "sent_at": now}
        with transaction.atomic():
            outcome, chosen = self.sift(entries)
            self.replace_expired(chosen, source, invited_by)
            rows = [
                self.model(**asdict(entry), **given, sends=1, expires_at=now + INVITE_LIFETIME)
                for entry in chosen.values()
            ]
            stored = self.store(rows)
            outcome.skipped += [(row.email, Reason.INVITED) for row in rows if row.pk not in stored]
            ours = [row for row in rows if row.pk in stored]
            outcome.done += [row.pk for row in ours]
            OutboxMessage.objects.bulk_create(mails.invitations(ours, leaving or in_step()))
            invited = [Event(kind=Event.Kind.INVITED, user=invited_by, about=row.pk) for row in ours]
            Event.objects.bulk_create(invited)
        return outcome

    def sift(self, entries: Sequence[Entry]) -> tuple[Outcome, dict[str, Entry]]:
        """Who would be skipped and why, and who is left; three statements for all."""
        emails = [entry.email for entry in entries]
        members = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
        suppressed = Suppression.objects.among(emails)
        pending = self.model.objects.pending().filter(email__in=emails)
        invited = set(pending.values_list("email", flat=True))
        outcome, chosen = Outcome(), {}
        for entry in entries:
            if entry.email in members:
                outcome.skipped.append((entry.email, Reason.HAS_ACCOUNT))
            elif entry.email in suppressed:
                outcome.skipped.append((entry.email, Reason.SUPPRESSED))
            elif entry.email in invited:
                outcome.skipped.append((entry.email, Reason.INVITED))
            else:
                chosen[entry.email] = entry
        return outcome, chosen

    def rivals(self, source: str, invited_by: User | None) -> Self:
        """Of which only one can be open for an address: those of staff, or those of one member."""
        member = self.model.Source.MEMBER
        rows = self.open()
        return rows.filter(source=member, invited_by=invited_by) if source == member else rows.exclude(source=member)

    def replace_expired(self, emails: Iterable[str], source: str, invited_by: User | None) -> None:
        """Makes room for new ones to these addresses, where older ones have run out."""
        rows = self.model.objects.rivals(source, invited_by)
        expired = rows.filter(email__in=list(emails), expires_at__lte=timezone.now())
        # Locked in one order, so that two lists of the same people never wait for each other.
        locked = expired.order_by("pk").select_for_update(no_key=True).values("pk")
        self.model.objects.filter(pk__in=locked).update(replaced_at=timezone.now())

    def store(self, rows: Sequence["Invite"]) -> set[UUID]:
        """Inserts them and their links, but for addresses that somebody else has just invited; gives the ids stored."""
        # In one order, for the same reason as above.
        self.model.objects.bulk_create(sorted(rows, key=lambda row: row.email), ignore_conflicts=True)
        ids = [row.pk for row in rows]
        stored = set(self.model.objects.filter(pk__in=ids).values_list("pk", flat=True))
        self._links.bulk_create([self._links.model.of(row) for row in rows if row.pk in stored])
        return stored
