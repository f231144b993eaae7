"""Child processes that never outlive us, whatever ends us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

PATIENCE = 10  # seconds a child may take to end by itself
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # found here: too late between fork and exec

type Child = subprocess.Popen[bytes]


def start(
    argv: Sequence[object], when_orphaned: int = signal.SIGTERM, stdin: int = subprocess.DEVNULL, **options: Any
) -> Child:
    """Starts a child that the kernel ends with the signal `when_orphaned` should we be killed.

    It has a session of its own, so that Ctrl-C reaches only us and we stop things in their order.
    """
    return subprocess.Popen(  # noqa: S603 - programs of ours, and no shell
        [str(arg) for arg in argv],
        stdin=stdin,
        start_new_session=True,
        preexec_fn=_bound_to(os.getpid(), when_orphaned),  # noqa: PLW1509 - two system calls, nothing that locks
        **options,
    )


def stop(child: Child, how: int = signal.SIGTERM) -> None:
    """Asks a child to end, and no longer asks after PATIENCE; what it has left behind in its session ends too."""
    if child.poll() is None:
        child.send_signal(how)
    with suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE)
    with suppress(ProcessLookupError):  # a web server's process that hangs, for one
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def end_with_parent(how: int = signal.SIGTERM) -> None:
    """Asks the kernel to send this process `how` when its parent is gone; only Linux can."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, how)


def _bound_to(parent: int, how: int) -> Callable[[], None]:
    def bind() -> None:
        end_with_parent(how)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return bind
