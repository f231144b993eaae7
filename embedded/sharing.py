"""One process owns the servers of a state folder; others share them or wait for their turn.

The lock is held by the owner and by its servers, so nobody starts new ones on data that old ones still write.
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

from embedded.folders import Environ, hold

LOCK, SHARERS, RECORD = "servers.lock", "servers.sharers", "servers.json"
TURN = 5  # seconds to wait for a short command, or for the servers of a killed process
FIRST_START = 30  # seconds another process may take to start what we want to share


class Owner(NamedTuple):
    """Who owns the servers, which settings it was given from outside, and whether it waits for sharers at its end."""

    name: str
    given: list[str]
    patient: bool


def claim(state: Path) -> int:
    """Becomes the owner: gives the lock, or ends with one line that names who has it."""
    deadline = time.monotonic() + TURN
    while (lock := _hold(state / LOCK)) is None:
        _pause(state, deadline)
    return lock


def claim_or_share(state: Path, environ: Environ) -> int | None:
    """Becomes the owner, or fills in the URLs of the running servers and gives None."""
    deadline = time.monotonic() + FIRST_START
    while (lock := _hold(state / LOCK)) is None:
        if record := _share(state):
            environ.update(record["environ"])
            return None
        _pause(state, deadline)
    return lock


@contextmanager
def announce(state: Path, owner: Owner, shared: dict[str, str]) -> Iterator[None]:
    """Writes down what others may share; the record counts only while this process is alive to hold it."""
    record = {"owner": f"{owner.name} (process {os.getpid()})", "given": owner.given, "environ": shared}
    new = state / f"{RECORD}.new"
    new.unlink(missing_ok=True)
    files = [_hold(new)]
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
    if time.monotonic() > deadline:
        record = _running(state)
        who = record["owner"] if record else "Another process"
        raise SystemExit(f"{who} uses the servers in {state}. Stop it first.")
    time.sleep(0.05)


def _share(state: Path) -> dict[str, Any] | None:
    # Held until this process ends: a patient owner waits for it.
    file = _hold(state / SHARERS, fcntl.LOCK_SH)
    record = _running(state) if file is not None else None
    if record is None and file is not None:
        os.close(file)
    if record and record["given"]:
        raise SystemExit(f"{record['owner']} was given {', '.join(record['given'])}. Set the same in this terminal.")
    return record


def _running(state: Path) -> dict[str, Any] | None:
    """What the owner wrote down, if it is alive."""
    with suppress(FileNotFoundError), (state / RECORD).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            record: dict[str, Any] = json.load(file)
            return record
    return None


def _outlast_sharers(state: Path) -> int | None:
    """Waits until no other command uses the servers, and keeps new ones out."""
    file = _hold(state / SHARERS)
    if file is None:
        sys.stderr.write("Other commands use the servers that this one started: waiting for them. Ctrl-C stops them.\n")
        with suppress(KeyboardInterrupt):
            file = os.open(state / SHARERS, os.O_RDONLY)
            fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _hold(path: Path, how: int = fcntl.LOCK_EX) -> int | None:
    path.touch(mode=0o600)
    return hold(path, how)
