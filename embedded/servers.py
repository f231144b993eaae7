"""How an embedded server runs: on a free port of 127.0.0.1, as an unprivileged user, and no longer than we do."""

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from embedded import children

PATIENCE = 30  # seconds until a server must be ready; PostgreSQL may have to recover first
# Servers get nothing of our own environment: PGDATA and others would mislead PostgreSQL.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


class Server(NamedTuple):
    """A running server: its name, the URL to connect to it, and its process."""

    name: str
    url: str
    process: children.Child


class Place(NamedTuple):
    """Where servers run: the folder of their data and logs, and the lock that they hold open.

    If not `durable`, the data need not survive a power cut.
    """

    folder: Path
    durable: bool
    lock: int | None = None

    @property
    def account(self) -> dict[str, Any]:
        """The user that servers run as, as arguments of Popen; {} for our own user.

        Only root needs another: the owner of the folder, or nobody. PostgreSQL refuses to run as root, and whoever
        knows its password must not become root by it.
        """
        if os.geteuid() != 0:
            return {}
        uid = self.folder.stat().st_uid
        user = pwd.getpwuid(uid) if uid else pwd.getpwnam("nobody")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def start(
    stack: ExitStack,
    place: Place,
    name: str,
    argv: Sequence[object],
    ready: Callable[[], bool],
    *,
    cwd: Path,
    feed: str = "",
) -> children.Child:
    """Starts a server, waits until `ready` returns True, and returns its process; `stack` stops it.

    `feed` is its stdin; its output goes to NAME.log in the place's folder. Raises SystemExit, with the last line of the
    log, if the server ends or is not ready after PATIENCE seconds.
    """
    log = place.folder / f"{name}.log"
    with log.open("wb") as output:
        child = spawn(place, argv, signal.SIGINT, feed, cwd=cwd, stdout=output)
    # SIGINT ends PostgreSQL without waiting for its clients, and Valkey as SIGTERM would.
    stack.callback(children.stop, child, signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline:
            last = "".join(log.read_text(errors="replace").splitlines()[-1:])
            raise SystemExit(f"{name} did not start: {last} (all of it in {log})")
        time.sleep(0.02)
    return child


def run(place: Place, argv: Sequence[object], feed: str, *, cwd: Path) -> None:
    """Runs a program as the place's user in `cwd`, with `feed` as its stdin, until it ends.

    Raises SystemExit, with the program's output, if it ends with an error.
    """
    child = spawn(place, argv, signal.SIGKILL, feed, cwd=cwd, stdout=subprocess.PIPE)
    output, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"{Path(str(argv[0])).name} failed: {output.decode(errors='replace')}")


def spawn(place: Place, argv: Sequence[object], when_orphaned: int, feed: str, **options: Any) -> children.Child:
    """Starts a program as the place's user, with the place's lock open and `feed` as its whole stdin; returns it.

    Passwords go through stdin, as every user of the machine can read an argv. `when_orphaned` is the signal it gets if
    we are killed; `options` are those of Popen. Raises OSError if the program cannot be started.
    """
    fds = () if place.lock is None else (place.lock,)
    options |= {"stderr": subprocess.STDOUT, "env": ENVIRONMENT, "pass_fds": fds} | place.account
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        with os.fdopen(writer, "w") as pipe:
            pipe.write(feed)  # short enough for the buffer of a pipe that nobody reads yet
        return children.start(argv, when_orphaned, stdin.fileno(), **options)


def free_port() -> int:
    """Returns a port of 127.0.0.1 on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
