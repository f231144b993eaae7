"""Inviting many at once: a few statements for hundreds of people, and mails that leave in step."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models.lifecycle import LifecycleQuerySet
from invites.models.outcome import Outcome, Reason
from invites.models.steps import INVITE_LIFETIME
from outbox.models import OutboxMessage, Suppression

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


class BulkQuerySet(LifecycleQuerySet):
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
        leaving = leaving or in_step()
        given: dict[str, Any] = {"source": source, "invited_by": invited_by, "batch": batch}
        with transaction.atomic():
            outcome, chosen = self.sift(entries)
            standing = set(self.model.objects.standing().filter(email__in=chosen).values_list("email", flat=True))
            self._create([entry for entry in chosen.values() if entry.email not in standing], given, leaving, outcome)
            for email in standing:  # it asked itself, or its invitation has run out
                said: dict[str, Any] = {name: value for name, value in asdict(chosen[email]).items() if value}
                outcome.done.append(self.model.objects.issue(**said, **given).pk)
        return outcome

    def sift(self, entries: Sequence[Entry]) -> tuple[Outcome, dict[str, Entry]]:
        """Who would be skipped and why, and who is left; three statements for all."""
        emails = [entry.email for entry in entries]
        members = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
        suppressed = Suppression.objects.among(emails)
        pending = self.model.objects.pending().standing().exclude(source=self.model.Source.SELF)
        invited = set(pending.filter(email__in=emails).values_list("email", flat=True))
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

    def _create(
        self, entries: Sequence[Entry], given: dict[str, Any], leaving: Iterator[datetime], outcome: Outcome
    ) -> None:
        """New rows, their mails and events. Whom somebody else has invited in this very moment is skipped."""
        now = timezone.now()
        terms = {"expires_at": now + INVITE_LIFETIME, "sent_at": now, "sends": 1}
        rows = [self.model(**asdict(entry), **given, **terms) for entry in entries]
        self.model.objects.bulk_create(rows, ignore_conflicts=True)
        created = set(self.model.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
        outcome.skipped += [(row.email, Reason.INVITED) for row in rows if row.pk not in created]
        ours = [row for row in rows if row.pk in created]
        outcome.done += [row.pk for row in ours]
        OutboxMessage.objects.bulk_create(mails.invitations(ours, leaving))
        invited = [Event(kind=Event.Kind.INVITED, user=given["invited_by"], about=row.pk) for row in ours]
        Event.objects.bulk_create(invited)
