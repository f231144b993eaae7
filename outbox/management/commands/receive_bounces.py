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
from outbox.bounces.parts import LONGEST
from outbox.bounces.receive import Outcome, receive

# Exit code instead of prompts.AWAY for a mail server that pipes a message in: it then keeps the message and tries again
# (EX_TEMPFAIL of sysexits.h).
TRY_AGAIN = 75


FLAGGED = {Outcome.UNREADABLE, Outcome.COMPLAINT}  # somebody should know of these


class Command(command.Command):
    help = (
        "Reads the delivery reports in a maildir, in a file, or on standard input, and notes which mail has come back. "
        "Run it as often as you like: it leaves messages alone that it has read before."
    )
    examples: ClassVar[tuple[str, ...]] = ("/var/mail/bounces", "- < message.eml", "/var/mail/bounces --format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="a maildir, a file with one message, or - for standard input")
        arguments.answer(parser)

    def handle(self, *args: Any, path: str, **options: Any) -> None:
        if not settings.BOUNCE_ADDRESS:
            raise CommandError("BOUNCE_ADDRESS is not set, so no mail can come back to it.", returncode=2)
        try:
            with prompts.database(TRY_AGAIN if path == "-" else prompts.AWAY):  # other messages stay unseen
                outcomes = Counter(self.outcomes(path))
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error}", returncode=2) from None
        self.report(outcomes)

    def outcomes(self, path: str) -> list[Outcome]:
        """Reads what is at `path`: a maildir, a file, or standard input for "-". Returns the outcome of each message.

        Messages of a maildir that another process has are left out. Raises OSError if nothing can be read, and
        DatabaseError or InterfaceError if the database fails.
        """
        if path == "-":
            return [receive(standard_input())]
        if not maildir.is_maildir(Path(path)):
            return [receive(beginning(Path(path)))]  # opening a folder that is no maildir raises OSError
        found = (self.outcome(file) for file in maildir.unseen(Path(path)))
        return [outcome for outcome in found if outcome]

    def outcome(self, file: Path) -> Outcome | None:
        """Processes a message of a maildir and marks it as seen. Returns its outcome; None if another process has it.

        A file that cannot be read or moved stays where it is, is named on standard error, and counts as unreadable.
        Raises DatabaseError or InterfaceError if the database fails.
        """
        try:
            outcome = receive(beginning(file))
            maildir.mark_seen(file, flagged=outcome in FLAGGED)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.stderr.write(f"{file} stays where it is: {error}")
            return Outcome.UNREADABLE
        return outcome

    def report(self, outcomes: Counter[Outcome]) -> None:
        """Prints how many messages had which outcome. Raises CommandError if some could not be understood."""
        counts = {outcome.value: outcomes[outcome] for outcome in Outcome}
        report = {name.replace(" ", "_"): number for name, number in counts.items()}
        self.tell(report, ", ".join(f"{number} {name}" for name, number in counts.items()))
        if failed := outcomes[Outcome.UNREADABLE]:
            said = f"{failed} could not be understood. In a maildir they are flagged, for somebody to read."
            raise CommandError(said, returncode=command.SOME_FAILED)


def beginning(file: Path) -> bytes:
    """Returns the first LONGEST bytes of a file. Raises OSError if it cannot be read."""
    with file.open("rb") as opened:
        return opened.read(LONGEST)


def standard_input() -> bytes:
    """Returns the first LONGEST bytes of standard input, and reads on to its end."""
    data = sys.stdin.buffer.read(LONGEST)
    while sys.stdin.buffer.read(LONGEST):
        pass  # a mail server whose pipe closes before its message ends takes that for a failure
    return data
