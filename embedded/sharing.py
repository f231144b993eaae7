"""One process owns the servers of a state folder; others share them or wait for their turn.

The owner and its servers hold the lock together, so nobody starts new servers on data that old ones still write.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from embedded.folders import Environ, try_lock

LOCK, SHARERS, RECORD = "servers.lock", "servers.sharers", "servers.json"
TURN = 5  # seconds to wait until a short command, or the servers of a killed process, end
FIRST_START = 30  # seconds that another process may take to start the servers that we want to share


class Owner(NamedTuple):
    """The process that owns servers, in words for messages.

    `name` is its command; `given` lists the settings that were set from outside. If `patient`, it waits at its end for
    the commands that share its servers.
    """

    name: str
    given: list[str]
    patient: bool


def claim(state: Path) -> int:
    """Makes this process the owner of the servers in `state` and returns the descriptor of the lock.

    Closing the descriptor releases the lock. Raises SystemExit, with one line that names the owner, if another process
    holds the lock for TURN seconds.
    """
    deadline = time.monotonic() + TURN
    while (lock := _try_lock(state / LOCK)) is None:
        _pause(state, deadline)
    return lock


def claim_or_share(state: Path, environ: Environ) -> int | None:
    """Makes this process the owner of the servers in `state` and returns the descriptor of the lock.

    Or, if servers run, puts their URLs into `environ` and returns None. Raises SystemExit if neither succeeds within
    FIRST_START seconds, or if the owner uses settings that this terminal lacks.
    """
    deadline = time.monotonic() + FIRST_START
    while (lock := _try_lock(state / LOCK)) is None:
        if record := _share(state):
            environ.update(record["environ"])
            return None
        _pause(state, deadline)
    return lock


@contextmanager
def announce(state: Path, owner: Owner, shared: dict[str, str]) -> Iterator[None]:
    """Context manager: publishes in `state`, while the block runs, the servers that others may share.

    `shared` are variables for the environment of these others. The record counts only while this process lives, as
    readers check its lock. If `owner` is patient, the end of the block waits for the commands that share the servers.
    """
    record = {"owner": f"{owner.name} (process {os.getpid()})", "given": owner.given, "environ": shared}
    new = state / f"{RECORD}.new"
    new.unlink(missing_ok=True)
    files = [_try_lock(new)]
    new.write_text(json.dumps(record))
    new.rename(state / RECORD)
    try:
        yield
    finally:
        if owner.patient:
            files.append(_outlast_sharers(state))
        (state / RECORD).unlink(missing_ok=True)
        for file in filter(None, files):
            os.close(file)


def _pause(state: Path, deadline: float) -> None:
    """Sleeps a moment.

    Raises SystemExit, with the name of the owner, if `deadline` (by time.monotonic()) has passed.
    """
    if time.monotonic() > deadline:
        record = _running(state)
        who = record["owner"] if record else "Another process"
        raise SystemExit(f"{who} uses the servers in {state}. Stop it first.")
    time.sleep(0.05)


def _share(state: Path) -> dict[str, Any] | None:
    """Returns the record of the owner, or None if none is alive or it is ending.

    With a record, this process is a sharer until it ends. Raises SystemExit if the owner was given settings from
    outside: this terminal does not have them.
    """
    # Never closed: a patient owner waits until this process ends.
    file = _try_lock(state / SHARERS, fcntl.LOCK_SH)
    record = _running(state) if file is not None else None
    if record is None and file is not None:
        os.close(file)
    if record and record["given"]:
        raise SystemExit(f"{record['owner']} was given {', '.join(record['given'])}. Set the same in this terminal.")
    return record


def _running(state: Path) -> dict[str, Any] | None:
    """Returns the record of the owner if it is alive, else None."""
    with suppress(FileNotFoundError), (state / RECORD).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            record: dict[str, Any] = json.load(file)
            return record
    return None


def _outlast_sharers(state: Path) -> int | None:
    """Waits until no other command uses the servers in `state`; Ctrl-C ends the wait.

    Returns the descriptor of a lock that keeps new sharers out. After Ctrl-C it returns a descriptor without the lock,
    or None.
    """
    file = _try_lock(state / SHARERS)
    if file is None:
        sys.stderr.write("Other commands use the servers that this one started: waiting for them. Ctrl-C stops them.\n")
        with suppress(KeyboardInterrupt):
            file = os.open(state / SHARERS, os.O_RDONLY)
            fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _try_lock(path: Path, how: int = fcntl.LOCK_EX) -> int | None:
    path.touch(mode=0o600)
    return try_lock(path, how)
