"""Many invitations at once: a list that was checked, then sent as one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from invites.models.bulk import Entry, in_step
from invites.models.invite import Invite
from invites.models.lifecycle import CHUNK
from invites.models.outcome import Outcome, Reason
from invites.models.progress import progress
from kit.ids import uuid7
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.batch.lists import Line
    from invites.models.queryset import InviteQuerySet

FRESH = timedelta(minutes=15)  # how long a check of the list counts
PREVIEW_KEPT = timedelta(days=1)  # a list that was checked and never sent
REFUSED_KEPT = timedelta(days=30)  # what could not be read of a list that was sent
KEPT = timedelta(days=365)
AT_ONCE = 5000  # invites that are withdrawn by one press, or counted for one page

# What a list may hold beside reasons to skip.
NEW, REPEATED, DOUBTED, UNREADABLE, SENT = "new", "repeated", "doubted", "unreadable", "sent"


def new_id() -> str:
    return f"b_{uuid7().hex}"


class BatchQuerySet(models.QuerySet["Batch"]):
    def check_list(self, lines: "Iterable[Line]", by: User | None, **given: Any) -> "Batch":
        """Stores a list and what would become of it; `given` stands for what a line leaves open. Sends nothing."""
        batch, entries = self.model(created_by=by), {}
        repeated = 0
        for line in lines:
            if line.entry is None:
                batch.refused.append([line.number, line.text, line.problem])
            elif line.entry.email in entries:
                repeated += 1
            else:
                entries[line.entry.email] = packed(line.entry, given)
                if line.meant:
                    entries[line.entry.email] |= {"meant": line.meant, "line": line.number}
        batch.entries = list(entries.values())
        batch.counts = {REPEATED: repeated, UNREADABLE: len(batch.refused)}
        batch.recount()
        batch.save()
        return batch

    def over(self) -> "BatchQuerySet":
        """Lists that were checked and never sent, and those that were sent long ago."""
        now = timezone.now()
        unsent = models.Q(sent_at=None, created_at__lt=now - PREVIEW_KEPT)
        return self.filter(unsent | models.Q(sent_at__lt=now - KEPT))

    def forget_refused(self) -> None:
        """Empties what could not be read of lists sent a while ago: addresses of people nobody knows may be in it."""
        self.filter(sent_at__lt=timezone.now() - REFUSED_KEPT).exclude(refused=[]).update(refused=[])


class Batch(models.Model):
    """Its invites carry its id. Until it is sent it holds who will be invited, and what could not be read."""

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    checked_at = models.DateTimeField(default=timezone.now)
    begun_at = models.DateTimeField(_("begun"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    # Whether those are written to as well who are invited already.
    again = models.BooleanField(default=False)
    # Emptied as it is sent: who will be invited, as Entry has it; and for what may be a typo, the
    # address that was probably meant, and the line.
    entries = models.JSONField(default=list)
    # Number, text and reason of each line that could not be read.
    refused = models.JSONField(default=list)
    counts = models.JSONField(default=dict)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return self.id

    @property
    def invites(self) -> "InviteQuerySet":
        """Newest first."""
        return Invite.objects.filter(batch=self.pk).order_by("-id")

    @property
    def people(self) -> int:
        """How many it has invited, or would invite."""
        return self.counts.get(SENT, {}).get("done", 0) if self.begun_at else self.counts.get(NEW, 0)

    @property
    def unsent(self) -> "InviteQuerySet":
        """Those whose mail has not left."""
        mails = OutboxMessage.objects.waiting().filter(about=models.OuterRef("pk"))
        return self.invites.open().filter(models.Exists(mails))

    @property
    def is_stale(self) -> bool:
        """Whether it was checked so long ago that other things may be true by now."""
        return self.checked_at < timezone.now() - FRESH

    def recount(self) -> bool:
        """Looks again at everybody who is to be invited; says whether anything is different now. Saves nothing."""
        before, found = dict(self.counts), dict.fromkeys([NEW, DOUBTED, *SKIPPED], 0)
        for chunk in batched(self.entries, CHUNK):
            outcome, chosen = Invite.objects.sift([unpacked(row) for row in chunk])
            for _email, reason in outcome.skipped:
                found[reason] += 1
            doubted = sum(1 for row in chunk if row.get("meant") and row["email"] in chosen)
            found[DOUBTED] += doubted
            found[NEW] += len(chosen) - doubted
        self.counts, self.checked_at = self.counts | found, timezone.now()
        return self.counts != before

    def has_any(self, *, again: bool, doubted: bool) -> bool:
        """Whether anybody would be written to."""
        return bool(self.counts[NEW] or (again and self.counts[Reason.INVITED]) or (doubted and self.counts[DOUBTED]))

    def look_again(self) -> bool:
        """Checks a list anew that was checked long ago; says whether anything is different now."""
        changed = self.recount()
        self.save(update_fields=["counts", "checked_at"])
        return changed

    def begin(self, by: User, *, again: bool = False, doubted: bool = False) -> None:
        """Settles who sends it and to whom, by the first press; `doubted` keeps the addresses that may be typos."""
        with transaction.atomic():
            row = Batch.objects.select_for_update().get(pk=self.pk)
            if row.begun_at is None:
                row.begun_at, row.created_by, row.again = timezone.now(), by, again
                row.entries = [entry for entry in row.entries if doubted or not entry.get("meant")]
                row.save(update_fields=["begun_at", "created_by", "again", "entries"])

    def send(self) -> Outcome:
        """Invites who is left of it, some hundreds in a transaction: whatever stops it, another press goes on.

        Two who press at once take turns, and each person is invited once.
        """
        leaving, total = in_step(), Outcome()
        while (outcome := self._send_some(leaving)) is not None:
            total += outcome
        self.refresh_from_db()
        return total

    @transaction.atomic
    def _send_some(self, leaving: Iterator[datetime]) -> Outcome | None:
        """One step; None when everybody has had their turn."""
        row = Batch.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=self.pk)
        if row.sent_at or row.begun_at is None:
            return None
        some, row.entries = row.entries[:CHUNK], row.entries[CHUNK:]
        if not row.entries:
            row.sent_at = timezone.now()
        return row.invite([unpacked(entry) for entry in some], Invite.Source.CSV, leaving)

    @transaction.atomic
    def invite(self, entries: Sequence[Entry], source: str, leaving: Iterator[datetime]) -> Outcome:
        """Invites some hundreds of different people; keeps count of what became of them."""
        outcome = Invite.objects.issue_many(
            entries, source=source, invited_by=self.created_by, batch=self.pk, leaving=leaving
        )
        self._name_repeated(outcome)
        if self.again:
            outcome = self._send_again(outcome, leaving)
        self._count(outcome)
        # Somebody may withdraw it in this moment; a new one is stored when it has invited somebody.
        if not self._state.adding:
            self.save(update_fields=["counts", "entries", "sent_at"])
        elif outcome.done:
            self.save()
        return outcome

    def rehearse(self, entries: Sequence[Entry]) -> Outcome:
        """What `invite` would come to; nothing is done."""
        outcome, chosen = Invite.objects.sift(entries)
        if self.again:
            again = self._invited(outcome).resend(dry_run=True)
            outcome.skipped = [skipped for skipped in outcome.skipped if skipped[1] != Reason.INVITED]
            outcome += again
        outcome.done += [uuid7() for _email in chosen]  # how many they are is what counts
        return outcome

    def finish(self) -> None:
        """Nobody else of a list that came in parts is to be invited."""
        self.sent_at = timezone.now()
        Batch.objects.filter(pk=self.pk).update(sent_at=self.sent_at)

    def _name_repeated(self, outcome: Outcome) -> None:
        """Tells whom this very batch has invited from whom somebody else has."""
        ours = models.Q(batch=self.pk)
        if self.again:  # then it may have written to invites of other batches
            ours |= models.Q(sent_at__gte=self.begun_at)
        repeated = set(self._invited(outcome).filter(ours).values_list("email", flat=True))
        outcome.skipped = [(e, Reason.REPEATED if e in repeated else reason) for e, reason in outcome.skipped]

    def _send_again(self, outcome: Outcome, leaving: Iterator[datetime]) -> Outcome:
        """Writes to those as well whom `outcome` skipped because they are invited."""
        again = self._invited(outcome).resend(by=self.created_by, leaving=leaving)
        outcome.skipped = [skipped for skipped in outcome.skipped if skipped[1] != Reason.INVITED]
        return outcome + again

    def _invited(self, outcome: Outcome) -> "InviteQuerySet":
        """The invites of those whom `outcome` skipped because of them."""
        emails = [email for email, reason in outcome.skipped if reason == Reason.INVITED]
        if not emails:
            return Invite.objects.none()
        # One mail is enough, whichever members have invited them as well.
        by_member = models.Case(models.When(source=Invite.Source.MEMBER, then=1), default=0)
        rows = Invite.objects.open().filter(email__in=emails)
        return rows.order_by("email", by_member, "-expires_at").distinct("email")

    def _count(self, outcome: Outcome) -> None:
        """Adds up what became of its people."""
        self.counts = sent = dict(self.counts)
        done = sent[SENT] = dict(sent.get(SENT, {"done": 0}))
        done["done"] += len(outcome.done)
        for _email, reason in outcome.skipped:
            done[reason] = done.get(reason, 0) + 1

    @property
    def progress(self) -> dict[str, int]:
        """What became of its invites, counted up to AT_ONCE of them."""
        return progress(self.invites[:AT_ONCE])

    def undo(self, by: User) -> Outcome:
        """Withdraws those whose mail has not left, AT_ONCE at most; nobody else of the list is invited."""
        self._stop()
        return self.invites.open()[:AT_ONCE].revoke_unsent(by)

    def withdraw(self, by: User) -> Outcome:
        """Withdraws those that were not accepted, AT_ONCE at most; nobody else of the list is invited."""
        self._stop(withdrawn_at=timezone.now())
        return self.invites.open()[:AT_ONCE].revoke(by)

    def _stop(self, **changes: Any) -> None:
        now = timezone.now()
        Batch.objects.filter(pk=self.pk).update(entries=[], sent_at=Coalesce("sent_at", now), **changes)


SKIPPED = (Reason.HAS_ACCOUNT, Reason.INVITED, Reason.SUPPRESSED)


def packed(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """An entry as the row keeps it: without what is empty."""
    said = {name: value for name, value in asdict(entry).items() if value}
    return {name: value for name, value in (given | said).items() if value}


def unpacked(row: dict[str, Any]) -> Entry:
    return Entry(**{name: value for name, value in row.items() if name not in {"meant", "line"}})
