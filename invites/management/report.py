"""Reports what a command did, as text, JSON or CSV on stdout; the exit code is 3 if some rows failed."""

import time
from argparse import ArgumentParser
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from invites.models import Invite, Outcome, Reason
from kit import addresses
from kit.commands import arguments
from kit.commands.command import INTERRUPTED, SOME_FAILED, Command
from outbox.models import Suppression

LISTED = 1000  # failures that are listed; further ones are only counted


class Report:
    """The report of one run of a command: how many rows were done, skipped and failed, and why."""

    def __init__(self, options: dict[str, Any], word: str = "queued", batch: str = "") -> None:
        """Takes the options of the command, the `word` for rows that are done, and the id of the batch they are in."""
        self.dry_run, self.verbosity = options["dry_run"], options["verbosity"]
        self.word, self.batch = word, "" if self.dry_run else batch
        self.started = time.monotonic()
        self.done = 0
        self.skips: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.failed_rows = 0
        self.again_at: datetime | None = None  # when all rows that were sent too recently can be sent again
        self.stopped = ""  # if it was interrupted, how to go on

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        arguments.rehearsal(parser)
        arguments.answer(parser, ["text", "json", "csv"])

    @property
    def rows(self) -> int:
        return self.done + self.skips.total() + self.failed_rows

    def add_skipped(self, _email: str, reason: str) -> None:
        self.skips[reason] += 1

    def add_failed(self, typed: str, reason: str) -> None:
        """Counts a failed row, and lists what was typed and the reason, for LISTED rows at most.

        An address that was typed is masked, unless with -v 2.
        """
        self.failed_rows += 1
        if len(self.failures) < LISTED:
            self.failures.append((typed if self.verbosity >= 2 or "@" not in typed else addresses.mask(typed), reason))

    def add(self, outcome: Outcome, *, suppressed_fail: bool = True) -> None:
        """Counts an outcome. Suppressed addresses count as failed or, without `suppressed_fail`, as skipped."""
        self.done += len(outcome.done)
        self.again_at = max(filter(None, (self.again_at, outcome.again_at)), default=None)
        suppressed = [email for email, why in outcome.skipped if suppressed_fail and why == Reason.SUPPRESSED]
        causes = Suppression.objects.among(suppressed) if suppressed else {}
        for email, reason in outcome.skipped:
            if email in causes:
                self.add_failed(email, causes[email].summary)
            else:
                self.add_skipped(email, reason)

    def each(self, outcome: Outcome, form: str) -> str:
        """Returns a line of text for each row of an outcome; "" without -v 2, or for another format than "text"."""
        if self.verbosity < 2 or form != "text":
            return ""
        done = Invite.objects.filter(pk__in=outcome.done).order_by("pk").values_list("email", flat=True)
        lines = [f"{self.word}  {email}" for email in done]
        lines += [f"skipped  {email}  {Reason(reason).label}" for email, reason in outcome.skipped]
        return "".join(f"{line}\n" for line in lines)

    def finish(self, command: Command) -> None:
        """Prints the report as `command` was asked to. With -v 0 it prints text only if rows failed.

        Raises CommandError if the command was interrupted (exit code 130), or some rows failed (3).
        """
        tell = command.show if self.failed_rows else command.tell
        tell(self.as_dict(), self.as_text(), self.as_table())
        if self.stopped:
            raise CommandError(f"Interrupted after {self.rows:,}. {self.stopped}", returncode=INTERRUPTED)
        if self.failed_rows:
            raise CommandError(f"{self.failed_rows:,} failed", returncode=SOME_FAILED)

    def as_dict(self) -> dict[str, object]:
        """Returns the report for JSON: numbers of rows, reasons of skips and failures, the batch, and the seconds."""
        return {
            "matched": self.rows,
            self.word: self.done,
            "skipped": {str(reason): count for reason, count in self.skips.items()},
            "failed": [{"input": typed, "reason": reason} for typed, reason in self.failures],
            "failed_rows": self.failed_rows,
            "batch": self.batch,
            "again_at": self.again_at,
            "seconds": round(time.monotonic() - self.started, 1),
            "interrupted": bool(self.stopped),
        }

    def as_table(self) -> list[tuple[object, ...]]:
        """Returns the report for CSV: a header, then a row for each outcome and reason with the number of rows.

        Reasons of failures beyond LISTED are not counted here.
        """
        skipped = [("skipped", reason, count) for reason, count in self.skips.items()]
        failed = Counter(reason for _typed, reason in self.failures)
        counts = [
            (self.word, "", self.done),
            *skipped,
            *(("failed", reason, count) for reason, count in failed.items()),
        ]
        return [("outcome", "reason", "rows"), *counts]

    def as_text(self) -> str:
        """Returns the report for people: a summary, the failures, and the id of a batch in which any were done."""
        reasons = ", ".join(f"{n:,} {getattr(reason, 'label', reason)}" for reason, n in self.skips.items())
        skipped = f"{self.skips.total():,} skipped" + (f" ({reasons})" if reasons else "")
        if self.again_at:
            skipped += f"; again after {self.again_at:%H:%M:%S} (UTC)"
        summary = f"{self.done:,} {self.word}, {skipped}, {self.failed_rows:,} failed"
        took = timedelta(seconds=round(time.monotonic() - self.started))
        lines = [summary + (f" in {took}" if took else "")]
        lines += [f"  failed  {typed}  {reason}" for typed, reason in self.failures]
        lines += [f"  and {self.failed_rows - LISTED:,} more"] if self.failed_rows > LISTED else []
        return "\n".join([*lines, f"Batch {self.batch}"] if self.batch and self.done else lines)
