"""How all commands behave: results on stdout and everything else on stderr, honest exit codes, examples in --help."""

import csv
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db.models import QuerySet

from kit import times
from kit.commands import prompts

# Exit codes. 0 is done, 1 failed, 2 asked for what cannot be meant; prompts.AWAY is the rest.
SOME_FAILED, INTERRUPTED = 3, 130

MANY = 10_000  # rows; beyond, nobody waits for an exact count


class Formatter(DjangoHelpFormatter):
    """Leaves the lines of the examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class Command(BaseCommand):
    """Ends with 4 when the database is away, and with 130 when it is interrupted."""

    examples: ClassVar[tuple[str, ...]] = ()
    prints_results = True  # on stdout, where nothing that is logged may get between

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        lines = "\n".join(f"  manage.py {subcommand} {example}".rstrip() for example in self.examples)
        parser = super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)
        parser.epilog = f"examples:\n{lines}" if lines else None
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        refuse_unreadable(options)
        options["no_color"] |= bool(os.environ.get("NO_COLOR")) and not options["force_color"]
        self.options = options
        try:
            with logs_on_stderr() if self.prints_results else nullcontext(), prompts.database():
                return super().execute(*args, **options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        except BrokenPipeError:  # who read the result, "head" perhaps, has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None

    def tell(self, report: Mapping[str, Any], said: str, table: Iterable[Sequence[Any]] = ()) -> None:
        """Prints what was done, as show() does; nothing to people who want to hear of failures only (-v 0)."""
        if self.options["verbosity"] or self.options["format"] != "text":
            self.show(report, said, table)

    def show(self, report: Mapping[str, Any], said: str, table: Iterable[Sequence[Any]] = ()) -> None:
        """Prints what was found, as --format wishes: `report` as JSON, `table` as CSV, or `said` for people.

        The JSON also names the command, and both it and the words say of a rehearsal that it was one.
        """
        if self.options["format"] == "json":
            rehearsal = {"dry_run": self.options["dry_run"]} if "dry_run" in self.options else {}
            self.stdout.write(json.dumps({"command": self.name, **rehearsal, **report}, default=times.iso))
        elif self.options["format"] == "csv":
            csv.writer(self.stdout, lineterminator="\n").writerows(table)
        elif said:
            self.stdout.write(self.dry + said)

    @property
    def name(self) -> str:
        """What is typed after manage.py."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def dry(self) -> str:
        """What stands before all that is said of a rehearsal."""
        return "DRY RUN  " if self.options.get("dry_run") else ""

    def sure(self, question: str, flag: str, *, may_ask: bool = True) -> None:
        """Asks on a terminal, and else for the flag that answers. Raises CommandError unless the answer is yes."""
        if not may_ask or not sys.stdin.isatty():
            said = f"{question} Nothing was changed. To do it without being asked, add {flag}."
            raise CommandError(said, returncode=2)
        self.stderr.write(f"{question} [y/N] ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.")


def refuse_unreadable(options: dict[str, Any]) -> None:
    """What a terminal typed in another encoding can be in no row. Raises CommandError."""
    for name, value in options.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text):
                raise CommandError(f"{name} is not in UTF-8. Nothing was changed.", returncode=2)


@contextmanager
def logs_on_stderr() -> Iterator[None]:
    """What is logged meanwhile must not get between the results."""
    handlers = [h for h in logging.getLogger().handlers if getattr(h, "stream", None) is sys.__stdout__]
    for handler in handlers:
        handler.setStream(sys.stderr)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(sys.__stdout__)  # type: ignore[attr-defined]


def count_rows(rows: QuerySet[Any], limit: int | None = None) -> int:
    """How many there are; no more than MANY + 1 are looked at."""
    return rows.order_by("pk")[: MANY + 1 if limit is None else min(limit, MANY + 1)].count()


def count_in_words(count: int) -> str:
    """What `count_rows` gave, in words."""
    return f"{count:,}" if count <= MANY else f"more than {MANY:,}"
