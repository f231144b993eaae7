"""manage.py deliver_mail"""

import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from mail.deliver import deliver_next

log = logging.getLogger("frontdoor.mail")

IDLE = 0.5  # seconds between two looks at an empty outbox
WITHOUT_DATABASE = 2.0  # seconds between two tries to reach PostgreSQL


@contextmanager
def told_to(stop: threading.Event) -> Iterator[None]:
    """Sets `stop` on SIGTERM and Ctrl-C, so that the mail in hand is finished first."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Command(BaseCommand):
    help = "Delivers the mail in the outbox until it is told to stop; run as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due and stop")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        stop = threading.Event()
        with told_to(stop):
            pause = self.work(stop)
            while not once and not stop.wait(pause):
                pause = self.work(stop)

    def work(self, stop: threading.Event) -> float:
        """Delivers until nothing is due; returns for how many seconds to rest."""
        try:
            while not stop.is_set() and deliver_next():
                pass
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database is away: %s", error)
            connection.close()
            return WITHOUT_DATABASE
        close_old_connections()
        return IDLE
