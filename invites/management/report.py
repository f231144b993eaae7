"""What a command did, for people and for programs: results on stdout, exit code 3 when some rows failed."""

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

LISTED = 1000  # failures; the others are only counted


class Report:
    def __init__(self, options: dict[str, Any], word: str = "queued", batch: str = "") -> None:
        """`word` is what was done with the rows that it was done with; `batch` is of those that it made."""
        self.dry_run, self.verbosity = options["dry_run"], options["verbosity"]
        self.word, self.batch = word, "" if self.dry_run else batch
        self.started = time.monotonic()
        self.done = 0
        self.skips: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.failed_rows = 0
        self.again_at: datetime | None = None  # when those can be sent again that were sent just now
        self.stopped = ""  # how to go on, if it was interrupted

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        arguments.rehearsal(parser)
        arguments.answer(parser, ["text", "json", "csv"])

    @property
    def rows(self) -> int:
        return self.done + self.skips.total() + self.failed_rows

    def queued(self, _email: str) -> None:
        self.done += 1

    def skipped(self, _email: str, reason: str) -> None:
        self.skips[reason] += 1

    def failed(self, typed: str, reason: str) -> None:
        self.failed_rows += 1
        if len(self.failures) < LISTED:
            self.failures.append((typed if self.verbosity >= 2 or "@" not in typed else addresses.mask(typed), reason))

    def add(self, outcome: Outcome, *, suppressed_fail: bool = True) -> None:
        """What a verb has come to; the suppressed are skipped, or have failed."""
        self.done += len(outcome.done)
        self.again_at = max(filter(None, (self.again_at, outcome.again_at)), default=None)
        suppressed = [email for email, why in outcome.skipped if suppressed_fail and why == Reason.SUPPRESSED]
        causes = Suppression.objects.among(suppressed) if suppressed else {}
        for email, reason in outcome.skipped:
            if email in causes:
                self.failed(email, causes[email].summary)
            else:
                self.skipped(email, reason)

    def each(self, outcome: Outcome, form: str) -> str:
        """With -v 2, a line for each row of an outcome."""
        if self.verbosity < 2 or form != "text":
            return ""
        done = Invite.objects.filter(pk__in=outcome.done).order_by("pk").values_list("email", flat=True)
        lines = [f"{self.word}  {email}" for email in done]
        lines += [f"skipped  {email}  {Reason(reason).label}" for email, reason in outcome.skipped]
        return "".join(f"{line}\n" for line in lines)

    def finish(self, command: Command) -> None:
        """Prints the outcome; raises CommandError when something could not be done, or was not done yet."""
        tell = command.show if self.failed_rows else command.tell
        tell(self.as_dict(), self.as_text(), self.as_table())
        if self.stopped:
            raise CommandError(f"Interrupted after {self.rows:,}. {self.stopped}", returncode=INTERRUPTED)
        if self.failed_rows:
            raise CommandError(f"{self.failed_rows:,} failed", returncode=SOME_FAILED)

    def as_dict(self) -> dict[str, object]:
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
        """One line for each outcome and reason."""
        skipped = [("skipped", reason, count) for reason, count in self.skips.items()]
        failed = Counter(reason for _typed, reason in self.failures)
        counts = [
            (self.word, "", self.done),
            *skipped,
            *(("failed", reason, count) for reason, count in failed.items()),
        ]
        return [("outcome", "reason", "rows"), *counts]

    def as_text(self) -> str:
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
