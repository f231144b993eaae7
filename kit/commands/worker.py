"""The base of commands that work until a signal tells them to stop."""

import threading
from argparse import ArgumentParser
from typing import Any, ClassVar

from kit.commands import command
from kit.worker_loop import Worker, keep_working, look, patient_connection, stop_on_signals


class Command(command.Command):
    """A command that keeps a `worker` at work until SIGTERM or Ctrl-C stops it.

    With --once it does what is due and ends.
    """

    examples: ClassVar[tuple[str, ...]] = ("", "--once")
    once = "do what is due, and stop"  # the help of --once
    prints_results = False  # it prints only its log, which belongs on stdout, like that of a web server
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
        """Has new workers do tasks until `stop` is set.

        While the database is away it waits, and then begins with a new worker. All other exceptions pass through.
        """
        keep_working(lambda: look(self.worker(), stop), stop)

    def work_once(self) -> None:
        """Does what is due now, then returns. Each command defines its own.

        Raises DatabaseError or InterfaceError if the database fails or is away, and CommandError if the command cannot
        go on.
        """
        raise NotImplementedError
