"""What a command did, for people and for programs: results on stdout, exit code 3 when some rows failed."""

import json
from argparse import ArgumentParser
from collections import Counter

from django.core.management.base import BaseCommand, CommandError

SOME_FAILED = 3  # exit code


class Report:
    def __init__(self, command: str, *, dry_run: bool, batch: str = "") -> None:
        self.command, self.dry_run, self.batch = command, dry_run, batch
        self.done: list[str] = []
        self.skips: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def queued(self, email: str) -> None:
        self.done.append(email)

    def skipped(self, _email: str, reason: str) -> None:
        self.skips[reason] += 1

    def failed(self, typed: str, reason: str) -> None:
        self.failures.append((typed, reason))

    def finish(self, command: BaseCommand, form: str) -> None:
        """Prints the outcome; raises CommandError with exit code 3 when something could not be done."""
        command.stdout.write(json.dumps(self.as_dict()) if form == "json" else self.as_text())
        if self.failures:
            raise CommandError(f"{len(self.failures)} failed", returncode=SOME_FAILED)

    def as_dict(self) -> dict[str, object]:
        return {
            "command": self.command,
            "dry_run": self.dry_run,
            "queued": len(self.done),
            "skipped": dict(self.skips),
            "failed": [{"input": typed, "reason": reason} for typed, reason in self.failures],
            "batch": self.batch,
        }

    def as_text(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.skips.items())
        skipped = f"{self.skips.total()} skipped" + (f" ({reasons})" if reasons else "")
        summary = f"{len(self.done)} queued, {skipped}, {len(self.failures)} failed"
        lines = [f"DRY RUN  {summary}" if self.dry_run else summary]
        lines += [f"  failed  {typed}  {reason}" for typed, reason in self.failures]
        return "\n".join([*lines, f"Batch {self.batch}"] if self.batch and self.done else lines)
