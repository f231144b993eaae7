"""Django's PostgreSQL, for those who cannot wait for a server that has stopped answering.

A paused server keeps its connections open and the kernel acknowledges in its name, so no timeout of PostgreSQL or of
TCP ends such a wait. After some silence we knock, therefore: a server that is only slow says something to a newcomer.
"""

import logging
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen, PQGenConn

from config.breaker import Breaker

log = logging.getLogger("frontdoor.postgres")

SILENCE = 0.3  # seconds; a request that meets a paused server lasts about twice as long, and no more than one

# Only for silence: a server that is stopped refuses at once, and is noticed as soon as it is back.
breaker = Breaker(cool_down=2.0)


class Silent(psycopg.OperationalError):
    """The server says nothing at all."""


class Connection(psycopg.Connection):
    """One that ends when its server has gone silent."""

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["Connection"]:
        if not breaker.lets_through():
            raise Silent("PostgreSQL did not answer a moment ago")
        with breaker.trial(Silent):
            return (yield from _listen(super()._connect_gen(conninfo), until=lambda: True))

    def wait(self, gen: PQGen, *args: Any, **options: Any) -> Any:
        try:
            return super().wait(_listen(gen, until=self._gone), *args, **options)
        except Silent as error:
            log.warning("postgres is away: %s", error)
            self.close()
            raise

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
