"""What workers share: they stop when told to, wait while a part is away, and say so once."""

import logging
import random
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, Self

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.backends.signals import connection_created

log = logging.getLogger("frontdoor.mail")

IDLE = 0.5  # seconds between two looks that find nothing to do
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between two looks for a part that is away

# A worker that is frozen, or whose machine lost its power, keeps the lock of its row no longer than the first, which is
# well above what one thing to do may take. Another worker may hold the lock of a row that this one was told of.
SESSION = "SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '2s'"


class Worker(ABC):
    """Does one thing after another, and rests when there is none, and at its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    @abstractmethod
    def next(self) -> bool:
        """Does one, and says whether there was any. Raises DatabaseError."""

    @abstractmethod
    def rest(self) -> None:
        """Lets go of what it needs only while there is something to do."""

    def finish(self) -> None:
        """Does all that is due now. Raises DatabaseError."""
        with self:
            while self.next():
                pass


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Sets `stop` on SIGTERM and Ctrl-C, so that what is in hand is finished first."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def patient_connection() -> Iterator[None]:
    """PostgreSQL ends what this process leaves undone for too long."""
    connection.close()
    connection_created.connect(_limit, dispatch_uid="kit.worker_loop")
    try:
        yield
    finally:
        connection_created.disconnect(dispatch_uid="kit.worker_loop")
        connection.close()


def _limit(connection: Any, **_kwargs: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SESSION)


def keep_working(
    work: Callable[[], Generator[bool]], stop: threading.Event, losses: tuple[type[Exception], ...] = ()
) -> None:
    """Goes through the rounds of `work` until told to stop, and begins it again when a part is lost.

    `work` yields after each round. It raises DatabaseError when it has lost the database, one of `losses` when it has
    lost the broker.
    """
    pause, missing, losses = FIRST_PAUSE, "", (DatabaseError, InterfaceError, *losses)
    while not stop.is_set():
        started = time.monotonic()
        try:
            with closing(work()) as rounds:
                for _ in rounds:
                    missing = _back(missing)
                    if stop.is_set():
                        return
        except losses as error:
            connection.close()
            missing = _lost(missing, error)
            if time.monotonic() - started > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE)


def look(worker: Worker, stop: threading.Event) -> Generator[bool]:
    """Looks for something to do again and again; yields each time whether there was anything. Raises DatabaseError."""
    with worker:
        while True:
            busy = worker.next()
            yield busy
            if not busy:
                worker.rest()
                close_old_connections()
                stop.wait(IDLE)


def _lost(missing: str, error: Exception) -> str:
    """Says once what is waited for; gives its name."""
    part = "the database" if isinstance(error, DatabaseError | InterfaceError) else "the broker"
    if part != missing:
        log.warning("waiting for %s: %s: %s", part, type(error).__name__, str(error) or repr(error))
    return part


def _back(missing: str) -> str:
    if missing:
        log.info("%s is back", missing)
    return ""
