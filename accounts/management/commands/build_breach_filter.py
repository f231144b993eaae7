"""manage.py build_breach_filter"""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NoReturn

from django.core.management.base import CommandError

from kit import hash_filter
from kit.commands import arguments, command
from kit.commands.progress import Progress

STDIN = "-"


class Command(command.Command):
    help = (
        "Makes the file for PASSWORD_BREACHES_FILE from the public list of leaked passwords: lines of SHA-1:COUNT, "
        "sorted or not. The file has two bytes for each; a billion take about half an hour."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "pwned-passwords.txt breaches.filter",
        "- breaches.filter --count 1000000000 < pwned-passwords.txt",
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("list", metavar="LIST", help="the list, or - for standard input")
        parser.add_argument(
            "target", metavar="FILTER", help="the file to make; an old one is replaced once it is whole"
        )
        parser.add_argument(
            "--count",
            type=hashes,
            metavar="N",
            help="how many hashes the list has; without it the list is read twice, first to count them",
        )
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"] == STDIN and not options["count"]:
            raise CommandError("Standard input can be read only once: add --count with its hashes.", returncode=2)
        self.malformed = 0
        try:
            self.build(options["list"], Path(options["target"]), options["count"] or self.count(options["list"]))
        except OSError as error:
            path = error.filename if error.filename == options["list"] else options["target"]
            raise CommandError(f"{path}: {error.strerror}. Nothing was changed.") from None

    def count(self, source: str) -> int:
        """Returns how many hashes the list has. Raises CommandError if it has none, and OSError if it can't be read."""
        found = 0
        with opened(source) as file, self.progress("Counting", None) as progress:
            for some in hash_filter.read_lines(file, lambda _lines: None):
                found += len(some) // hash_filter.SIZE
                progress.update(found, 0)
        return found or no_hashes(source)

    def build(self, source: str, target: Path, count: int) -> None:
        """Makes the filter for `count` hashes, and tells what became of it.

        Raises CommandError if the list has no hashes, and OSError if it can't be read or `target` not be written.
        """
        with opened(source) as file, self.progress("Adding", count) as progress:
            added = hash_filter.build(
                target, self.lines(file, source), count, lambda done: progress.update(done, self.malformed)
            )
        found = hash_filter.HashFilter(target)
        report = {
            "hashes": added,
            "malformed": self.malformed,
            "bytes": target.stat().st_size,
            "false_positives": found.measured_mistakes(),
            "false_positives_expected": found.expected_mistakes(),
        }
        said = (
            f"{added:,} hashes in {report['bytes']:,} bytes. "
            f"False positives: {report['false_positives']:.3%} measured, "
            f"{report['false_positives_expected']:.3%} expected."
        )
        if self.malformed:
            said += f" {self.malformed:,} lines were not SHA-1:COUNT and were left out."
        if added > count:
            said += f" The list has more hashes than the {count:,} of --count; with the right number there are fewer."
        self.tell(report, said)

    def lines(self, file: BinaryIO, source: str) -> Iterator[bytes]:
        """Yields the hashes of the list, and counts malformed lines. Raises CommandError at the end if it had none."""
        empty = True
        for some in hash_filter.read_lines(file, self.skip):
            empty = empty and not some
            yield some
        if empty:
            no_hashes(source)

    def skip(self, lines: int) -> None:
        self.malformed += lines

    @contextmanager
    def progress(self, doing: str, total: int | None) -> Iterator[Progress]:
        shown = Progress(self.stderr, doing, total, self.options)
        try:
            yield shown
        finally:
            shown.end()


def hashes(text: str) -> int:
    """Returns a number of hashes, 1 or more. Raises ArgumentTypeError for anything but one to twelve digits."""
    if not re.fullmatch(r"0*[1-9]\d{0,11}", text, re.ASCII):
        raise ArgumentTypeError("must be 1 or more, in digits")
    return int(text)


@contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """Context manager: yields the file at `source`, or standard input for "-". Raises OSError if it can't be read."""
    if source == STDIN:
        yield sys.stdin.buffer
    else:
        with Path(source).open("rb") as file:
            yield file


def no_hashes(source: str) -> NoReturn:
    """Raises CommandError: the list has no line that could be used."""
    raise CommandError(f"{source} has no line of SHA-1:COUNT. Nothing was changed.")
