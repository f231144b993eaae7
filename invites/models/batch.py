"""Many invitations at once: a list that was checked, then sent as one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from invites.models.batch_queryset import BatchQuerySet
from invites.models.counts import Counts, CountsField
from invites.models.entries import fates, unpacked
from invites.models.invite import Invite
from invites.models.invited_already import invited, resend
from invites.models.lifecycle import CHUNK
from invites.models.outcome import Outcome, Reason
from invites.models.progress import progress
from invites.models.queryset import Entry, in_step
from kit.ids import uuid7
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.queryset import InviteQuerySet

FRESH = timedelta(minutes=15)  # how long a check of the list counts
AT_ONCE = 5000  # invites that are withdrawn by one press, or counted for one page


def new_id() -> str:
    return f"b_{uuid7().hex}"


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
    counts = CountsField(default=Counts)

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
        return self.counts.done if self.begun_at else self.counts.new

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
        before = self.counts
        self.counts, self.checked_at = replace(before, **fates(self.entries)), timezone.now()
        return self.counts != before

    def has_any(self, *, again: bool, doubted: bool) -> bool:
        """Whether anybody would be written to."""
        return bool(self.counts.new or (again and self.counts.invited) or (doubted and self.counts.doubted))

    def look_again(self) -> bool:
        """Checks a list anew that was checked long ago; says whether anything is different now."""
        changed = self.recount()
        self.save(update_fields=["counts", "checked_at"])
        return changed

    def claim_for(self, by: User, *, again: bool = False, doubted: bool = False) -> None:
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
            outcome = resend(outcome, by=self.created_by, leaving=leaving)
        self.counts.add(outcome)
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
            outcome = resend(outcome, dry_run=True)
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
        repeated = set(invited(outcome).filter(ours).values_list("email", flat=True))
        outcome.skipped = [(e, Reason.REPEATED if e in repeated else reason) for e, reason in outcome.skipped]

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
