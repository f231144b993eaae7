"""Batches: lists of people that are checked first, and then invited together."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import Group
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from invites.models.batch_queryset import BatchQuerySet
from invites.models.counts import Counts, CountsField
from invites.models.entries import chosen, groups, judge, unpack, without_lost_groups
from invites.models.invite import Invite
from invites.models.invited_already import find_invited, resend
from invites.models.lifecycle import CHUNK
from invites.models.outcome import Outcome, Reason
from invites.models.progress import neediest_first, progress, standings
from invites.models.queryset import Entry, in_step
from kit.exact import ExactField
from kit.ids import uuid7
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.queryset import InviteQuerySet

FRESH = timedelta(minutes=15)  # after it the list is checked again before it is sent
AT_ONCE = 5000  # invitations that one press withdraws at most, or that one page counts


def new_id() -> str:
    return f"b_{uuid7().hex}"


class Batch(models.Model):
    """A list of people who are invited together; their invitations carry its id.

    Until the list is sent, the row holds everyone who is to be invited. It also holds the lines that could not be read.
    """

    id = ExactField(primary_key=True, max_length=40, default=new_id, editable=False)
    # What whoever made it calls the list, to find its people again; "" without a name.
    name = models.CharField(_("name of the list"), max_length=100, blank=True, default="", db_default="")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    checked_at = models.DateTimeField(default=timezone.now)
    begun_at = models.DateTimeField(_("begun"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    stopped_at = models.DateTimeField(null=True)  # when undo() or withdraw() last kept it from being sent on
    # Whether people who are invited already, or have declined, get a mail again.
    again = models.BooleanField(default=False)
    # What was chosen for all who are in it, as pack() in entries.py writes it.
    common = models.JSONField(default=dict)
    # The people still to be invited, as pack() writes them, with NOTES; sending takes them out.
    entries = models.JSONField(default=list)
    # What each line that could not be read says, by the columns of lists, with its number as "line" and, as
    # kit/each_language.py writes it, its "problem".
    refused = models.JSONField(default=list)
    # Sentences on how the list was read, as kit/each_language.py writes them: what was guessed or left out.
    remarks = models.JSONField(default=list)
    counts = CountsField(default=Counts)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        local = timezone.localtime(self.created_at)
        day, time = date_format(local, gettext("j F")), f"{local.hour:02}:{local.minute:02}"
        return self.name or gettext("List of %(day)s, %(time)s") % {"day": day, "time": time}

    @property
    def invites(self) -> "InviteQuerySet":
        """The invitations of this batch, newest first."""
        return Invite.objects.filter(batch=self.pk).order_by("-id")

    @property
    def people(self) -> int:
        """The number of people that the batch would have invited by its last check, before its sending began."""
        return self.counts.new + self.counts.joins

    @property
    def unsent(self) -> "InviteQuerySet":
        """The open invitations of this batch with a mail that still waits in the outbox."""
        mails = OutboxMessage.objects.waiting().filter(about=models.OuterRef("pk"))
        return self.invites.open().filter(models.Exists(mails))

    @property
    def never_mailed(self) -> "InviteQuerySet":
        """Those of `unsent` of which no mail has ever left."""
        mails = OutboxMessage.objects.filter(about=models.OuterRef("pk"), sent_at__isnull=False)
        return self.unsent.exclude(models.Exists(mails))

    @property
    def source(self) -> Invite.Source:
        """How its invitations are said to be made: one by one, or by a list."""
        had_turn = self.counts.done + sum(self.counts.skipped.values())
        return Invite.Source.CSV if had_turn + len(self.entries) > 1 else Invite.Source.ADMIN

    @property
    def is_stale(self) -> bool:
        """True if the list was last checked more than 15 minutes ago, so that its counts may be out of date."""
        return self.checked_at < timezone.now() - FRESH

    def groups(self, *, doubted: bool = True) -> dict[str, int]:
        """Returns the names of the groups that people still in the list join by accepting, with how many join each.

        Without `doubted` it leaves out addresses that may be typos.
        """
        found = groups(chosen(self.entries, doubted=doubted))
        names = Group.objects.filter(pk__in=found).order_by("name").values_list("name", "pk") if found else ()
        return {name: found[pk] for name, pk in names}

    def recount(self) -> bool:
        """Checks again what would become of everyone in `entries`. Returns whether the counts have changed.

        Sets `counts`, `checked_at` and the fates in `entries`, but does not save them.
        """
        before = self.counts
        self.counts, self.checked_at = replace(before, **judge(self.entries)), timezone.now()
        return self.counts != before

    def has_any(self, *, again: bool, doubted: bool) -> bool:
        """Returns whether sending would mail anyone, for these two choices.

        `again`: people who are invited already or have declined get a mail too; `doubted`: addresses that may be typos
        are invited too.
        """
        sure = self.counts.new or self.counts.joins
        return bool(sure or (again and self.counts.invited + self.counts.declined) or (doubted and self.counts.doubted))

    def look_again(self) -> bool:
        """Checks the list again, and saves what it finds unless its sending has begun.

        Returns whether the counts have changed.
        """
        changed = self.recount()
        found = {"counts": self.counts, "checked_at": self.checked_at, "entries": self.entries}
        Batch.objects.filter(pk=self.pk, begun_at=None).update(**found)
        return changed

    def claim_for(self, by: User, *, again: bool = False, doubted: bool = False) -> bool:
        """Notes that `by` sends this batch, and to whom, unless an earlier press has done so: then nothing changes.

        Returns whether this press was the first. `again`: people who are invited already or have declined get a mail
        too. `doubted`: addresses that may be typos stay in the list. Raises Batch.DoesNotExist if the batch was deleted
        meanwhile. Changes the stored row, not this object.
        """
        with transaction.atomic():
            row = Batch.objects.select_for_update().get(pk=self.pk)
            if row.begun_at is not None:
                return False
            row.begun_at, row.created_by, row.again = timezone.now(), by, again
            row.entries = without_lost_groups(chosen(row.entries, doubted=doubted))
            row.save(update_fields=["begun_at", "created_by", "again", "entries"])
        return True

    def send(self) -> Outcome:
        """Invites everyone left in a claimed list, CHUNK people in each transaction. Returns the outcome of them all.

        If it is interrupted, the next call goes on. Calls at the same time take turns: each person is invited once.
        Nobody is invited, and the outcome is empty, if the list was sent, stopped or never claimed. At the end this
        object is read again. Raises Batch.DoesNotExist if the batch was deleted meanwhile.
        """
        leaving, total = in_step(), Outcome()
        while (outcome := self._send_some(leaving)) is not None:
            total += outcome
        self.refresh_from_db()
        return total

    @transaction.atomic
    def _send_some(self, leaving: Iterator[datetime]) -> Outcome | None:
        """Invites the next CHUNK people of the list, in one transaction. Returns the outcome.

        The mails leave at the times of `leaving`. Returns None if the list is sent already, or was never claimed.
        Raises Batch.DoesNotExist if the batch was deleted meanwhile.
        """
        row = Batch.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=self.pk)
        if row.sent_at or row.begun_at is None:
            return None
        source = row.source
        some, row.entries = row.entries[:CHUNK], row.entries[CHUNK:]
        if not row.entries:
            row.sent_at = timezone.now()
        outcome = row.invite_some([unpack(entry) for entry in some], source, leaving)
        row.save(update_fields=["counts", "entries", "sent_at"])
        return outcome

    @transaction.atomic
    def invite(self, entries: Sequence[Entry], source: str, leaving: Iterator[datetime]) -> Outcome | None:
        """Invites some hundreds of different people, a part of a list that comes in parts, in one transaction.

        Returns the outcome, and adds it to `counts`; or None, and invites nobody, if the batch was undone or withdrawn
        since this object was read. `source` is an Invite.Source. The mails leave at the times of `leaving`. If `again`
        is set, people who are invited already or have declined are mailed again. A new batch is stored as soon as it
        has invited anyone. Raises Batch.DoesNotExist if a stored one was deleted meanwhile.
        """
        is_new = self._state.adding
        if not is_new and self._was_stopped():
            return None
        outcome = self.invite_some(entries, source, leaving)
        if not is_new:
            self.save(update_fields=["counts"])
        elif outcome.done:
            self.save()
        return outcome

    def _was_stopped(self) -> bool:
        """Returns whether the batch was undone or withdrawn since this object was read.

        Locks its row until the transaction ends: undo() and withdraw() then wait, and find all who were invited.
        """
        rows = Batch.objects.select_for_update().filter(pk=self.pk)
        return rows.values_list("stopped_at", flat=True).get() != self.stopped_at

    def invite_some(self, entries: Sequence[Entry], source: str, leaving: Iterator[datetime]) -> Outcome:
        """Invites these people, see invite(). Returns the outcome, and adds it to `counts`, which it does not save.

        If `again` is set, whoever has declined, or whom only a member has invited, is invited by staff: only the member
        can mail theirs again.
        """
        outcome = Invite.objects.issue_many(
            entries,
            source=source,
            invited_by=self.created_by,
            batch=self.pk,
            leaving=leaving,
            again=self.again,
        )
        self._name_repeated(outcome)
        if self.again:
            outcome = resend(outcome, by=self.created_by, leaving=leaving)
        self.counts.add(outcome)
        return outcome

    def rehearse(self, entries: Sequence[Entry]) -> Outcome:
        """Returns the outcome that invite() would have, and changes nothing. The ids in its `done` are made up."""
        sifted = Invite.objects.sift(entries, again=self.again)
        outcome = sifted.outcome
        self._name_repeated(outcome)
        if self.again:
            outcome = resend(outcome, dry_run=True)
        outcome.done += [uuid7() for _email in sifted.chosen]  # callers only count them
        return outcome

    def finish(self) -> None:
        """Marks this batch as sent, after the last part of a list that came in parts. Stores no new row."""
        self.sent_at = timezone.now()
        Batch.objects.filter(pk=self.pk).update(sent_at=self.sent_at)

    def _name_repeated(self, outcome: Outcome) -> None:
        """Changes the reason INVITED in `outcome` to REPEATED for people whom this very batch has mailed."""
        ours = models.Q(batch=self.pk)
        if self.again:  # then it may have mailed invitations of other batches again
            ours |= models.Q(sent_at__gte=self.begun_at)
        repeated = set(find_invited(outcome).filter(ours).values_list("email", flat=True))
        outcome.skipped = [(e, Reason.REPEATED if e in repeated else reason) for e, reason in outcome.skipped]

    @property
    def progress(self) -> dict[str, Any]:
        """What became of its newest AT_ONCE invitations: the numbers of progress.progress()."""
        return progress(self.invites[:AT_ONCE])

    def standing(self, name: str) -> "InviteQuerySet":
        """Returns those of its newest AT_ONCE invitations that are counted in `progress` as `name`."""
        return self.invites.filter(standings(self.invites[:AT_ONCE])[name])[:AT_ONCE]

    @property
    def neediest(self) -> "InviteQuerySet":
        """Its newest AT_ONCE invitations; those come first that need somebody."""
        return neediest_first(self.invites[:AT_ONCE])

    def rename(self, name: str) -> None:
        """Gives this batch another name. "" has it called by its day and time."""
        Batch.objects.filter(pk=self.pk).update(name=name)

    def undo(self, by: User) -> tuple[Outcome, Outcome]:
        """Stops the sending of the list and the mails that have not left, of AT_ONCE invitations at most.

        Invitations of which no mail has ever left are withdrawn; the others stay open. Returns the outcomes for the
        former and for the latter; the second skips invitations of which no mail waits. `by` is the person who pressed.
        Changes stored rows, not this object.
        """
        self._stop()
        rows = self.invites.open()[:AT_ONCE]
        return rows.revoke_unsent(by), rows.stop_mails(by)

    def withdraw(self, by: User) -> Outcome:
        """Withdraws the open invitations, AT_ONCE at most, and stops the sending of the list. Returns the outcome.

        `by` is the person who pressed. Changes stored rows, not this object.
        """
        self._stop(withdrawn_at=timezone.now())
        return self.invites.open()[:AT_ONCE].revoke(by)

    def _stop(self, **changes: Any) -> None:
        """Empties the stored list, and marks the batch as sent and stopped: send() and invite() then invite nobody."""
        now = timezone.now()
        Batch.objects.filter(pk=self.pk).update(entries=[], sent_at=Coalesce("sent_at", now), stopped_at=now, **changes)
