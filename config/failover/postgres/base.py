"""Django's PostgreSQL, for those who cannot wait for a server that has stopped answering.

A paused server keeps its connections open and the kernel acknowledges in its name, so no timeout of PostgreSQL or of
TCP ends such a wait. After some silence we knock, therefore: a server that is only slow says something to a newcomer.
"""

import logging
import math
import select
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen, PQGenConn

from config.failover.breaker import Breaker

log = logging.getLogger("frontdoor.postgres")

SILENCE = 0.3  # seconds; a request that meets a paused server lasts about twice as long, and no more than one

FRESH = 2.0  # seconds for which a kept connection that has answered need not be asked whether it still stands

# Only for silence: a server that is stopped refuses at once, and is noticed as soon as it is back.
breaker = Breaker(cool_down=2.0)


class Silent(psycopg.OperationalError):
    """The server says nothing at all."""


class Connection(psycopg.Connection):
    """One that ends when its server has gone silent."""

    heard_at = -math.inf  # on time.monotonic's clock

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["Connection"]:
        if not breaker.lets_through():
            raise Silent("PostgreSQL did not answer a moment ago")
        with breaker.trial(Silent):
            return (yield from _listen(super()._connect_gen(conninfo), until=lambda: True))

    def wait(self, gen: PQGen, *args: Any, **options: Any) -> Any:
        try:
            answer = super().wait(_listen(gen, until=self._gone), *args, **options)
        except Silent as error:
            log.warning("postgres is away: %s", error)
            self.close()
            raise
        self.heard_at = time.monotonic()
        return answer

    @property
    def is_fresh(self) -> bool:
        """Whether the server has answered lately, and has not hung up since: a goodbye would lie in the socket."""
        if self.closed or time.monotonic() - self.heard_at > FRESH:
            return False
        waiting = select.poll()
        waiting.register(self.fileno(), select.POLLIN)
        return not waiting.poll(0)

    def _gone(self) -> bool:
        try:
            self.connect(self.info.dsn).close()  # without the password: that it would let us in need not be proven
        except psycopg.OperationalError as error:
            return isinstance(error, Silent)
        return False


def _listen(gen: Any, until: Callable[[], bool]) -> Any:
    """Passes on what psycopg and its driver say to each other; asks after ever longer silences whether to give up."""
    patience, heard_at = SILENCE, time.monotonic()
    try:
        wish = next(gen)
        while True:
            ready = yield wish
            if ready:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > patience:
                if until():
                    raise Silent(f"PostgreSQL has been silent for {patience} seconds")
                patience *= 2
            wish = gen.send(ready)
    except StopIteration as end:
        return end.value


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = SimpleNamespace(**vars(psycopg) | {"connect": Connection.connect})

    def is_usable(self) -> bool:
        """Django asks at the first statement of each request, and would put a question to the server every time."""
        return bool(self.connection and self.connection.is_fresh) or super().is_usable()
