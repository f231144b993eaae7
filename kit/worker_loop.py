"""The loop of worker processes: they stop at a signal, and wait while the database or the broker is away."""

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

log = logging.getLogger("frontdoor.worker")

IDLE = 0.5  # seconds between two looks that find nothing to do
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between two looks for a part that is away

# The first setting: a worker that is frozen, or whose machine has lost its power, must not keep the lock of its row for
# ever; one task takes far less than a minute. The second: the broker may name a row that another worker has locked.
SESSION = "SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '2s'"


class Worker(ABC):
    """A worker that does one task after another. As a context manager it calls rest() at the end of the block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    @abstractmethod
    def next(self) -> bool:
        """Does one task. Returns True, or False if none was due, or others had locked all that were.

        Raises DatabaseError or InterfaceError if the database fails or is away.
        """

    @abstractmethod
    def rest(self) -> None:
        """Lets go of what the worker needs only while there are tasks, such as a connection to a server."""

    def finish(self) -> None:
        """Does all tasks that are due now, then calls rest().

        Raises DatabaseError or InterfaceError if the database fails or is away.
        """
        with self:
            while self.next():
                pass


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Context manager for the main thread: SIGTERM and Ctrl-C only set `stop` while the block runs.

    So the task in hand is finished first. At the end the earlier handlers of the signals are back.
    """
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def patient_connection() -> Iterator[None]:
    """Context manager: new database connections get the time limits of SESSION while the block runs.

    It closes this thread's connection at the start and at the end, so that the next query opens a new one.
    """
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
    """Runs the rounds of `work` until `stop` is set; waits while the database or the broker is away.

    `work` yields after each round. It raises DatabaseError or InterfaceError when it has lost the database, one of
    `losses` when it has lost the broker: this is logged once, and after a pause `work` is called again. All other
    exceptions pass through.
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
    """Has the worker do task after task without end. Yields after each: True, or False if no task was due.

    After False it lets the worker rest and waits for IDLE seconds, or until `stop` is set; whoever iterates must stop.
    Raises DatabaseError or InterfaceError if the database fails or is away.
    """
    with worker:
        while True:
            busy = worker.next()
            yield busy
            if not busy:
                worker.rest()
                close_old_connections()
                stop.wait(IDLE)


def _lost(missing: str, error: Exception) -> str:
    """Returns the part that `error` shows to be lost: "the database" or "the broker".

    Logs the loss, unless the part is `missing` already.
    """
    part = "the database" if isinstance(error, DatabaseError | InterfaceError) else "the broker"
    if part != missing:
        log.warning("waiting for %s: %s: %s", part, type(error).__name__, str(error) or repr(error))
    return part


def _back(missing: str) -> str:
    if missing:
        log.info("%s is back", missing)
    return ""
