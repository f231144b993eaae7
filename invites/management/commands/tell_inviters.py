"""manage.py tell_inviters: mails each inviter what became of their invitations; to be run by a timer."""

import threading
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError

from invites import digest
from kit.commands import arguments, command
from kit.worker_loop import stop_on_signals


class Command(command.Command):
    help = (
        "Mails everybody who has invited people what became of their invitations since the last such mail: who "
        "accepted, who declined and why, and which mails came back. Mails nobody who wants no such mail. Run it once a "
        "day; nobody is mailed twice within 23 hours, however often it runs."
    )
    examples: ClassVar[tuple[str, ...]] = ("", "--format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        with stop_on_signals(stop):
            told = self.tell_all(stop)
        self.tell({"told": told, "interrupted": stop.is_set()}, f"{told:,} told")
        if stop.is_set():
            raise CommandError("Interrupted. Run it again to go on.", returncode=command.INTERRUPTED)

    def tell_all(self, stop: threading.Event) -> int:
        """Mails one inviter after another, until all are told or `stop` is set. Returns how many were mailed."""
        told, last = 0, None
        while not stop.is_set() and (last := digest.next_inviter(last)):
            told += digest.tell(last)
        return told
