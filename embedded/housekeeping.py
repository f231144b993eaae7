"""The commands that a timer runs on a server. `make run` has no timer, and runs them itself."""

from collections.abc import Callable

from embedded.children import Child

HOUR = 60 * 60
EVERY = {"prune": 24 * HOUR, "tell_inviters": 24 * HOUR, "remind_invites": HOUR}  # seconds from one run to the next
FIRST = 60  # seconds after the start: nobody who tries the site waits for them


class Housekeeping:
    """Starts each command of EVERY when it is due, one at a time."""

    def __init__(self, start: Callable[[str], Child], now: float) -> None:
        """`start` starts a command of manage.py by its name. `now` is a time in seconds, as for look()."""
        self._start = start
        self._due = dict.fromkeys(EVERY, now + FIRST)
        self._child: Child | None = None

    def look(self, now: float) -> None:
        """Starts a command if one is due and none runs. A command that fails says why itself, and has its next turn."""
        if self._child and self._child.poll() is None:
            return
        for command, due in self._due.items():
            if now >= due:
                self._due[command] = now + EVERY[command]
                self._child = self._start(command)
                return
