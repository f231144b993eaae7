"""manage.py send_invites: invites the people of a list, or those named on the command line."""

import shutil
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import batched, chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, ClassVar, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.management.people import find_people
from invites.batch import columns, encodings, files, leads, lists, rows
from invites.batch.leads import Leads
from invites.batch.lists import Line
from invites.batch.remarks import Say
from invites.batch.rows import Row
from invites.management.report import Report
from invites.models import RATE, Batch, Entry, Invite, Outcome, in_step
from invites.models.entries import LED
from invites.models.lifecycle import CHUNK
from invites.models.outcome import Reason
from kit import plain_line
from kit.commands import arguments, command
from kit.commands.progress import Progress
from kit.each_language import Words
from kit.worker_loop import stop_on_signals

NAME_LENGTH = 100  # of a list
STOPPED = "It was stopped at the desk."


class Command(command.Command):
    help = (
        "Invites people: one mail each. Skips addresses that have an account, are invited already, have declined, or "
        "are repeated."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "grace@example.com --invited-by ada --note 'Come and see'",
        "--csv people.csv --group Editors --expires '10 days' --dry-run",
        "--csv - --language ru --rate 10/s < people.csv",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("emails", nargs="*", metavar="EMAIL")
        parser.add_argument(
            "--csv",
            "--file",
            dest="file",
            metavar="FILE",
            help="an Excel (.xlsx) or text file with one address a line; may also have name, note, language, next, "
            "group, expires and app, in this order or as its first line names them, with the fields of PROFILE_FIELDS; "
            "- for standard input",
        )
        parser.add_argument(
            "--encoding", default="", choices=list(encodings.NAMES), help="of a text file (default: find out)"
        )
        parser.add_argument("--invited-by", metavar="NAME", help="the username of the person who invites")
        parser.add_argument("--note", default="", help="a sentence for the mail, 200 characters at most")
        parser.add_argument("--language", default="", choices=list(dict(settings.LANGUAGES)), help="of mail and pages")
        parser.add_argument("--next", default="", metavar="PATH", help="where on this site the invitation leads")
        parser.add_argument(
            "--group", action="append", default=[], metavar="NAME", help="a group for everyone who accepts; repeatable"
        )
        parser.add_argument(
            "--app", default="", metavar="NAME", help="the app they come for, by its name or client ID: they land in it"
        )
        parser.add_argument("--expires", default="", metavar="TIME", help="how long they work: 36h, 10 days, 2 weeks")
        parser.add_argument("--name", default="", help="what to call the person, if there is only one")
        parser.add_argument("--list-name", default="", metavar="NAME", help="what to call this list at the desk")
        parser.add_argument(
            "--again", action="store_true", help="mail people who are invited already or have declined, too"
        )
        parser.add_argument(
            "--resume", metavar="BATCH", help="go on with this interrupted batch; needed only with --again"
        )
        pace = f"how fast the mails leave: 10/s, 600/m (default: {RATE:g}/s)"
        parser.add_argument("--rate", type=arguments.rate, default=RATE, help=pace)
        Report.add_arguments(parser)

    def handle(self, *args: Any, emails: list[str], **options: Any) -> None:
        if not emails and options["file"] is None:
            raise CommandError("Whom? Give addresses, or a file with --csv.", returncode=2)
        if options["name"] and (len(emails) > 1 or options["file"] is not None):
            raise CommandError("--name is for one person. In a file, give each line a name of its own.", returncode=2)
        self.hashes = set[int]()
        self.shared, known = shared_fields(options)
        self.batch, self.leaving = batch(options), in_step(options["rate"])
        report = Report(options, batch=self.batch.pk)
        with open_list(options["file"], options["encoding"], self.remark) as file:
            self.work(chain(lists.read(rows.of_lines(emails), known), lists.read(file, known, self.remark)), report)
        report.finish(self)

    def work(self, lines: Iterator[Line], report: Report) -> None:
        """Invites the people of these lines, CHUNK lines at a time, and then marks the batch as sent.

        On SIGTERM or Ctrl-C it finishes the chunk in hand first, so that all that was done is also reported.
        """
        stop, progress = threading.Event(), Progress(self.stderr, "Inviting", None, self.options)
        try:
            with interruptible():
                for chunk in batched(lines, CHUNK):
                    with stop_on_signals(stop):
                        is_over = self.take(chunk, report)
                        progress.update(report.rows, report.failed_rows)
                    if is_over or stop.is_set():
                        report.stopped = STOPPED if is_over else self.onwards()
                        break
        except KeyboardInterrupt:
            report.stopped = self.onwards()
        except ValidationError as error:  # the rest of the file is damaged
            report.stopped = str(error.messages[0])
        self.batch.finish()
        progress.end()

    def onwards(self) -> str:
        """Returns the sentence that tells how to go on after an interruption."""
        said = "Go on with the same command"
        return f"{said} and --resume {self.batch.pk}." if self.batch.again else f"{said}: nobody is invited twice."

    def take(self, chunk: Sequence[Line], report: Report) -> bool:
        """Invites the people that some hundreds of lines name, or rehearses it, and adds the outcome to the report.

        Lines that can't be read count as failed. Returns whether the batch was stopped at the desk: then nobody is
        invited.
        """
        entries: dict[str, Entry] = {}
        for line in chunk:
            if line.entry is None:
                report.add_failed(line.text, f"line {line.number}: {line.problem}")
            elif line.entry.email in entries:
                report.add_skipped(line.entry.email, Reason.REPEATED)
            else:
                entries[line.entry.email] = self.complete(line.entry)
                self.doubt(line)
        if report.dry_run:
            report.add(self.rehearse(entries))
            return False
        outcome = self.batch.invite(list(entries.values()), Invite.Source.COMMAND, self.leaving)
        if outcome is not None:
            self.stdout.write(report.each(outcome, self.options["format"]), ending="")
            report.add(outcome)
        return outcome is None

    def rehearse(self, entries: dict[str, Entry]) -> Outcome:
        """Returns the outcome that inviting these people would have.

        A rehearsal stores nothing by which repeats could be found, so a hash of each address is kept in memory.
        """
        new = [entry for entry in entries.values() if hash(entry.email) not in self.hashes]
        self.hashes.update(hash(entry.email) for entry in new)
        outcome = self.batch.rehearse(new)
        outcome.skipped += [(email, Reason.REPEATED) for email in entries.keys() - {entry.email for entry in new}]
        return outcome

    def complete(self, entry: Entry) -> Entry:
        """Returns the entry, with the values of the options where the line has none."""
        given = {name: value for name, value in self.shared.items() if name not in LED and not getattr(entry, name)}
        return replace(entry, **given)

    def remark(self, said: Words) -> None:
        """Prints on stderr how the list is read, such as in which encoding, unless with -v 0."""
        if self.options["verbosity"]:
            self.stderr.write(str(said))

    def doubt(self, line: Line) -> None:
        """Prints a likely typo in an address on stderr, unless with -v 0. The address is invited all the same."""
        if line.meant and line.entry and self.options["verbosity"]:
            self.stderr.write(f"line {line.number}: {line.entry.email}: did you mean {line.meant}?")


def shared_fields(options: dict[str, Any]) -> tuple[dict[str, Any], Leads]:
    """Returns the values of Entry that the options set for every line, without empty ones, and where they lead people.

    Raises CommandError if one is invalid.
    """
    known = Leads.of(None)
    try:
        into = tuple(dict.fromkeys(leads.group(name, known.groups) for name in options["group"]))
        said = {name: options[name] for name in ("name", "note", "language", "next", "app")}
        found = columns.fields(said | {"lifetime": options["expires"]}, replace(known, into=into))
        shared = {name: value for name, value in found.items() if value}
        return shared, known.chosen(found["app"], found["next"], into)
    except ValidationError as error:
        raise CommandError(f"{error.messages[0]}.", returncode=2) from None


def batch(options: dict[str, Any]) -> Batch:
    """Returns a new batch, not stored yet, or the stored one that --resume names.

    Raises CommandError for an unknown batch or inviter, and a name of the list that is too long or no plain line.
    """
    if options["resume"]:
        found = Batch.objects.filter(pk=options["resume"]).first()
        if found is None:
            raise CommandError(f"There is no batch {options['resume']}.", returncode=2)
        return found
    inviter = find_people([options["invited_by"]])[0] if options["invited_by"] else None
    try:
        name = plain_line.plain(options["list_name"], NAME_LENGTH, "The name of the list")
    except ValidationError as error:
        raise CommandError(f"{error.messages[0]}.", returncode=2) from None
    return Batch(created_by=inviter, name=name, begun_at=timezone.now(), again=options["again"])


@contextmanager
def open_list(file: str | None, encoding: str, say: Say) -> Iterator[Iterator[Row]]:
    """Opens a list: yields the rows of this file, of standard input for "-", or none for None.

    `encoding` and `say` are as for files.read_rows(). Raises CommandError if the file can't be opened, or is of no kind
    that can be read.
    """
    with ExitStack() as stack:
        try:
            with interruptible():
                raw = stack.enter_context(open_file(file)) if file else None
            found = files.read_rows(raw, encoding, say) if raw else iter(())
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.", returncode=2) from None
        except ValidationError as error:
            raise CommandError(str(error.messages[0]), returncode=2) from None
        yield found


def open_file(file: str) -> BinaryIO:
    """Returns this file opened for reading, or a temporary copy of standard input for "-".

    A copy, because what is piped in can't be read twice: first to find out what it is. Raises OSError.
    """
    if file != "-":
        return Path(file).open("rb")
    copied = SpooledTemporaryFile(encodings.SAMPLE)  # noqa: SIM115 whoever called closes it
    shutil.copyfileobj(sys.stdin.buffer, copied)
    copied.seek(0)
    return cast("BinaryIO", copied)


@contextmanager
def interruptible() -> Iterator[None]:
    """Makes SIGTERM raise KeyboardInterrupt, as Ctrl-C does, so that waiting for standard input can be ended."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
