"""Child processes that end with us, even when we are killed."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

PATIENCE = 10  # seconds that a child may take to end after the signal
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loading it after fork is not safe

type Child = subprocess.Popen[bytes]


def start(
    argv: Sequence[object], when_orphaned: int = signal.SIGTERM, stdin: int = subprocess.DEVNULL, **options: Any
) -> Child:
    """Starts a child process and returns it. If we are killed, the kernel sends it `when_orphaned` (Linux only).

    `options` are those of Popen. Raises OSError if the program cannot be started. The child has a session of its own,
    so that Ctrl-C reaches only us and we stop the children in order.
    """
    return subprocess.Popen(  # noqa: S603 - programs of ours, and no shell
        [str(arg) for arg in argv],
        stdin=stdin,
        start_new_session=True,
        preexec_fn=_bound_to(os.getpid(), when_orphaned),  # noqa: PLW1509 - two system calls, nothing that locks
        **options,
    )


def stop(child: Child, how: int = signal.SIGTERM) -> None:
    """Ends a child with the signal `how`, and with SIGKILL if it has not ended after PATIENCE seconds.

    SIGKILL then goes to its whole process group in any case, so that nothing it has started is left.
    """
    stop_all([child], how=how)


def stop_all(together: Sequence[Child], patience: float = PATIENCE, how: int = signal.SIGTERM) -> None:
    """Ends children as stop() does, with SIGKILL after `patience` seconds for all. All are told before it waits."""
    for child in together:
        if child.poll() is None:
            child.send_signal(how)
    deadline = time.monotonic() + patience
    for child in together:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0, deadline - time.monotonic()))
        with suppress(ProcessLookupError):  # such as a worker of the web server that hangs
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def end_with_parent(how: int = signal.SIGTERM) -> None:
    """Asks the kernel to send this process the signal `how` when its parent ends. Does nothing except on Linux."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, how)


def _bound_to(parent: int, how: int) -> Callable[[], None]:
    def bind() -> None:
        end_with_parent(how)
        if os.getppid() != parent:  # the parent ended before we asked
            os._exit(1)

    return bind
