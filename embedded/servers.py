"""A server of ours: on a free port of 127.0.0.1, as an unprivileged user, no longer alive than we are."""

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
# Nothing of our own environment: PGDATA and its like would mislead PostgreSQL.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


class Server(NamedTuple):
    """A server that runs."""

    name: str
    url: str
    process: children.Child


class Place(NamedTuple):
    """Where servers live, whether what they hold must survive a power cut, and the lock they hold."""

    folder: Path
    durable: bool
    lock: int | None = None

    @property
    def account(self) -> dict[str, Any]:
        """As whom they run, in Popen's words: as root the owner of the folder, or nobody.

        PostgreSQL refuses to be root, and who knows its password must not become root by it.
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
    told: str = "",
) -> children.Child:
    """Starts a server, waits until it is `ready`, and has `stack` stop it."""
    log = place.folder / f"{name}.log"
    with log.open("wb") as output:
        child = spawn(place, argv, signal.SIGINT, told, cwd=cwd, stdout=output)
    # SIGINT ends PostgreSQL without waiting for its clients, and Valkey as SIGTERM would.
    stack.callback(children.stop, child, signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline:
            last = "".join(log.read_text(errors="replace").splitlines()[-1:])
            raise SystemExit(f"{name} did not start: {last} (all of it in {log})")
        time.sleep(0.02)
    return child


def run(place: Place, argv: Sequence[object], told: str, *, cwd: Path) -> None:
    """Runs a program to its end, in the place's name."""
    child = spawn(place, argv, signal.SIGKILL, told, cwd=cwd, stdout=subprocess.PIPE)
    output, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"{Path(str(argv[0])).name} failed: {output.decode(errors='replace')}")


def spawn(place: Place, argv: Sequence[object], when_orphaned: int, told: str, **options: Any) -> children.Child:
    """Starts a program in the place's name, holding its lock; what it is `told` is its stdin, all of it.

    A password is told so: every user of the machine can read an argv.
    """
    fds = () if place.lock is None else (place.lock,)
    options |= {"stderr": subprocess.STDOUT, "env": ENVIRONMENT, "pass_fds": fds} | place.account
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        with os.fdopen(writer, "w") as pipe:
            pipe.write(told)  # short enough for a pipe that nobody reads yet
        return children.start(argv, when_orphaned, stdin.fileno(), **options)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
