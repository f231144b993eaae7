"""The base of all commands: results on stdout, everything else on stderr, exit codes, and examples in --help."""

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

# Exit codes. Others are 0: done; 1: failed; 2: the arguments make no sense; prompts.AWAY: try later.
SOME_FAILED, INTERRUPTED = 3, 130

MANY = 10_000  # rows; nobody wants to wait until more are counted


class Formatter(DjangoHelpFormatter):
    """A formatter of help that keeps the lines of a text that has more than one, such as the examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class Command(BaseCommand):
    """A command that ends with exit code 4 when the database is away, and with 130 when it is interrupted."""

    examples: ClassVar[tuple[str, ...]] = ()  # arguments, each shown after the command's name in --help
    prints_results = True  # on stdout; then logs go to stderr, as their lines would spoil the results

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        lines = "\n".join(f"  manage.py {subcommand} {example}".rstrip() for example in self.examples)
        parser = super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)
        parser.epilog = f"examples:\n{lines}" if lines else None
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Runs the command and returns what its handle() returns, or None if the reader of stdout has gone.

        Raises CommandError if it fails, if an argument is not in UTF-8 (exit code 2), if the database is away (4), or
        on Ctrl-C (130).
        """
        refuse_unreadable(options)
        options["no_color"] |= bool(os.environ.get("NO_COLOR")) and not options["force_color"]
        self.options = options
        try:
            with logs_on_stderr() if self.prints_results else nullcontext(), prompts.database():
                return super().execute(*args, **options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        except BrokenPipeError:  # the reader of the result, such as "head", has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None

    def tell(self, report: Mapping[str, Any], said: str, table: Iterable[Sequence[Any]] = ()) -> None:
        """Prints the result in the format that --format names: `report` as JSON, `table` as CSV, or `said` for people.

        With -v 0, when only failures are wanted, `said` is not printed; JSON and CSV are.
        """
        if self.options["verbosity"] or self.options["format"] != "text":
            self.show(report, said, table)

    def show(self, report: Mapping[str, Any], said: str, table: Iterable[Sequence[Any]] = ()) -> None:
        """Prints the result in the format that --format names: `report` as JSON, `table` as CSV, or `said` for people.

        The JSON also names the command. After a rehearsal (--dry-run), both the JSON and the words say that it was one.
        An empty `said` prints nothing.
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
        """The name of the command, as it is typed after manage.py."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def dry(self) -> str:
        """The mark before the words of a rehearsal (--dry-run); otherwise ""."""
        return "DRY RUN  " if self.options.get("dry_run") else ""

    def sure(self, question: str, flag: str, *, may_ask: bool = True) -> None:
        """Asks the question on the terminal. Returns if the answer is yes; raises CommandError if it is not.

        Without a terminal, or if `may_ask` is false, raises CommandError (exit code 2) at once: its text names `flag`,
        the option to add to the command instead of an answer.
        """
        if not may_ask or not sys.stdin.isatty():
            said = f"{question} Nothing was changed. To do it without being asked, add {flag}."
            raise CommandError(said, returncode=2)
        self.stderr.write(f"{question} [y/N] ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.")


def refuse_unreadable(options: dict[str, Any]) -> None:
    """Raises CommandError (exit code 2) if a text in `options` is not in UTF-8.

    The terminal then has another encoding, and no row can hold the text.
    """
    for name, value in options.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text):
                raise CommandError(f"{name} is not in UTF-8. Nothing was changed.", returncode=2)


@contextmanager
def logs_on_stderr() -> Iterator[None]:
    """Context manager: moves logs from stdout to stderr while the block runs.

    So no line of a log gets between the results of a command.
    """
    handlers = [h for h in logging.getLogger().handlers if getattr(h, "stream", None) is sys.__stdout__]
    for handler in handlers:
        handler.setStream(sys.stderr)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(sys.__stdout__)  # type: ignore[attr-defined]


def count_rows(rows: QuerySet[Any], limit: int | None = None) -> int:
    """Returns the number of rows, but no more than `limit` and no more than MANY + 1, so that counting is quick."""
    return rows.order_by("pk")[: MANY + 1 if limit is None else min(limit, MANY + 1)].count()


def number_of(number: int, one: str, many: str) -> str:
    """Returns a number with its noun, such as "1 try" or "1,200 tries"."""
    return f"{number:,} {one if number == 1 else many}"


def count_in_words(count: int) -> str:
    """Returns a result of count_rows() in words: "1,234" or "more than 10,000"."""
    return f"{count:,}" if count <= MANY else f"more than {MANY:,}"
