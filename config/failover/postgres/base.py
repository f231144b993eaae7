"""Django's PostgreSQL backend, for processes that cannot wait for a server that has stopped answering.

A paused server keeps its connections open, and its kernel acknowledges what we send, so no timeout of PostgreSQL or of
TCP ends such a wait. After half of DATABASE_SILENCE_SECONDS we therefore open a second connection: a server that is
only slow answers it within the other half.
"""

import logging
import math
import select
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.abc import PQGen, PQGenConn

from config.failover.breaker import Breaker

log = logging.getLogger("frontdoor.postgres")

LOOKS_EVERY = 0.1  # seconds; so often psycopg has its generators look whether they are ready

MOMENT_AGO = "PostgreSQL did not answer a moment ago"

FRESH = 2.0  # seconds after an answer in which a kept connection is not tested again

# Only silence opens it: a stopped server refuses at once, which costs no wait, and is noticed as soon as it is back.
breaker = Breaker(cool_down=2.0)


class Silent(psycopg.OperationalError):
    """The server does not answer at all, not even with an error."""


class Probe(psycopg.Connection):
    """A second connection, which raises Silent if the server does not answer it either."""

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["Probe"]:
        return (yield from _listen(super()._connect_gen(conninfo), _stay_silent))


class Connection(psycopg.Connection):
    """A connection that raises Silent when its server has gone silent."""

    heard_at = -math.inf  # on time.monotonic's clock

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["Connection"]:
        if not breaker.lets_through():
            raise Silent(MOMENT_AGO)
        with breaker.trial(Silent):
            return (yield from _listen(super()._connect_gen(conninfo), lambda: _ask_again(conninfo)))

    def wait(self, gen: PQGen, *args: Any, **options: Any) -> Any:
        """Waits for the server as psycopg does, and returns its answer; raises psycopg's errors as they come.

        Raises Silent, and closes the connection, if the server has stopped answering.
        """
        try:
            answer = super().wait(_listen(gen, self._ask_again), *args, **options)
        except Silent as error:
            log.warning("postgres is away: %s", error)
            self.close()
            raise
        self.heard_at = time.monotonic()
        return answer

    @property
    def is_fresh(self) -> bool:
        """True if the server has answered within FRESH seconds and has not hung up since.

        A server that hangs up sends a message first, and it would lie unread in the socket.
        """
        if self.closed or time.monotonic() - self.heard_at > FRESH:
            return False
        waiting = select.poll()
        waiting.register(self.fileno(), select.POLLIN)
        return not waiting.poll(0)

    def _ask_again(self) -> None:
        """Returns if the server answers a second connection, and raises Silent if it does not, or just did not."""
        if not breaker.lets_through():
            raise Silent(MOMENT_AGO)
        with breaker.trial(Silent):
            _ask_again(self.info.dsn)  # without the password: a refusal is an answer, too


def _ask_again(conninfo: str) -> None:
    """Returns if the server answers a second connection with whatever it may be, and raises Silent if it does not."""
    try:
        Probe.connect(conninfo).close()
    except Silent:
        raise
    except psycopg.OperationalError:
        return


def _stay_silent() -> None:
    raise Silent(f"PostgreSQL has been silent for {settings.DATABASE_SILENCE_SECONDS} seconds")


def _listen(gen: Any, ask_again: Callable[[], None]) -> Any:
    """Passes on what psycopg's generator and its driver say to each other, and returns the result of `gen`.

    After ever longer silences of the server it calls `ask_again`, which raises Silent if the server is gone. The looks
    that found nothing are counted, and not the seconds: a busy machine may let this process wait while the answer is
    already there.
    """
    patience, silent = settings.DATABASE_SILENCE_SECONDS / 2 / LOOKS_EVERY, 0
    try:
        wish = next(gen)
        while True:
            ready = yield wish
            silent = 0 if ready else silent + 1
            if silent >= patience:
                ask_again()
                patience *= 2
            wish = gen.send(ready)
    except StopIteration as end:
        return end.value


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with connections that notice a silent server."""

    Database: Any = SimpleNamespace(**vars(psycopg) | {"connect": Connection.connect})

    def is_usable(self) -> bool:
        """Returns whether the kept connection still works.

        Django asks this at the first statement of each request, and would send a query every time. A connection that
        is_fresh needs no query.
        """
        return bool(self.connection and self.connection.is_fresh) or super().is_usable()
