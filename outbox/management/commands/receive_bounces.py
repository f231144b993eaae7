"""manage.py receive_bounces"""

import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError

from kit.commands import arguments, command, prompts
from outbox.bounces import maildir
from outbox.bounces.delivery_reports import LONGEST
from outbox.bounces.receive import Outcome, receive

TRY_AGAIN = 75  # the same as prompts.AWAY for a mail server, which keeps the message then (EX_TEMPFAIL of sysexits.h)


class Command(command.Command):
    help = (
        "Reads the delivery reports in a maildir, in a file, or on standard input, and notes which mail has come back. "
        "Run it as often as you like: messages it has seen it leaves alone."
    )
    examples: ClassVar[tuple[str, ...]] = ("/var/mail/bounces", "- < message.eml", "/var/mail/bounces --format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="a maildir, a file with one message, or - for standard input")
        arguments.answer(parser)

    def handle(self, *args: Any, path: str, **options: Any) -> None:
        if not settings.BOUNCE_ADDRESS:
            raise CommandError("BOUNCE_ADDRESS is not set, so no mail can come back to it.", returncode=2)
        try:
            with prompts.database(TRY_AGAIN if path == "-" else prompts.AWAY):  # what was not noted yet is still unseen
                outcomes = Counter(self.outcomes(path))
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error}", returncode=2) from None
        self.report(outcomes)

    def outcomes(self, path: str) -> list[Outcome]:
        """Raises OSError, OperationalError, InterfaceError."""
        if path == "-":
            return [receive(standard_input())]
        if not maildir.is_maildir(Path(path)):
            return [receive(beginning(Path(path)))]  # a folder that is no maildir is an OSError
        found = (self.outcome(file) for file in maildir.unseen(Path(path)))
        return [outcome for outcome in found if outcome]

    def outcome(self, file: Path) -> Outcome | None:
        """What one message came to, which is seen from now on; None if another process has it."""
        try:
            outcome = receive(beginning(file))
            maildir.mark_seen(file, flagged=outcome == Outcome.UNREADABLE)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.stderr.write(f"{file} stays where it is: {error}")
            return Outcome.UNREADABLE
        return outcome

    def report(self, outcomes: Counter[Outcome]) -> None:
        counts = {outcome.value: outcomes[outcome] for outcome in Outcome}
        report = {name.replace(" ", "_"): number for name, number in counts.items()}
        self.tell(report, ", ".join(f"{number} {name}" for name, number in counts.items()))
        if failed := outcomes[Outcome.UNREADABLE]:
            said = f"{failed} could not be understood. In a maildir they are flagged, for somebody to read."
            raise CommandError(said, returncode=command.SOME_FAILED)


def beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(LONGEST)


def standard_input() -> bytes:
    data = sys.stdin.buffer.read(LONGEST)
    while sys.stdin.buffer.read(LONGEST):
        """A mail server takes it for a failure when nobody reads the rest."""
    return data
