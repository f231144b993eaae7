"""A lane for work that takes much CPU: a few threads of low priority, and a bounded number that wait for them."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.utils.translation import gettext_lazy as _

log = logging.getLogger("frontdoor.lane")

LOWER = 10  # steps of priority (nice) below the other threads of the process
AGAIN = 2  # seconds after which visitors who found the lane full are asked to come back


class Full(Exception):
    """All places of a lane are taken, so nothing was done. A place should be free in some `seconds`.

    `words` is the sentence for the visitor. Pages and JSON doors answer with 503.
    """

    seconds = AGAIN
    words = _("Very many people are signing in right now. Nothing has changed. Try again in a few seconds.")


class Lane:
    """A lane with so many `threads` and places to wait.

    Each request in a lane keeps a thread of the web server: `threads` and `places` together must be fewer than those,
    or the lane starves everybody. Its own threads start with the first work.
    """

    def __init__(self, threads: int, places: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lane", initializer=lower_priority)
        self._lock = threading.Lock()
        self._most = threads + places
        self.inside = 0  # calls that wait or are being worked on

    def run[T](self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Returns what `work` returns, and raises what it raises. Raises Full, at once, if no place is free."""
        with self._lock:
            if self.inside >= self._most:
                raise Full
            self.inside += 1
        try:
            return self._pool.submit(work, *args, **kwargs).result()
        finally:
            with self._lock:
                self.inside -= 1


def lower_priority() -> None:
    """Has the kernel prefer all other threads to this one. Only Linux has priorities of threads.

    If the kernel refuses, the thread works at the priority that it has.
    """
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + LOWER)
        except OSError as error:
            log.warning("no lower priority for hashes: %s", error)
