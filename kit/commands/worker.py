"""Commands that work until they are told to stop."""

import threading
from argparse import ArgumentParser
from typing import Any, ClassVar

from kit.commands import command
from kit.worker_loop import Worker, keep_working, look, patient_connection, stop_on_signals


class Command(command.Command):
    """Keeps a worker at work, or has it do with --once what is due."""

    examples: ClassVar[tuple[str, ...]] = ("", "--once")
    once = "do what is due, and stop"  # the help of --once
    prints_results = False  # what it has to say is its log, which belongs on stdout as that of a web server does
    worker: type[Worker]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help=self.once)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.work_once()
            return
        stop = threading.Event()
        with stop_on_signals(stop), patient_connection():
            self.work(stop)

    def work(self, stop: threading.Event) -> None:
        """Works until `stop` is set. A new worker begins when a part was lost."""
        keep_working(lambda: look(self.worker(), stop), stop)

    def work_once(self) -> None:
        """Does what is due now. Raises DatabaseError."""
        raise NotImplementedError
