"""Keeps requests away from a server that has just been lost: each would wait for it again."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Breaker:
    """For `cool_down` seconds after a loss nobody is let through, then one; the others follow once it has an answer."""

    def __init__(self, cool_down: float) -> None:
        self.cool_down = cool_down
        self.retry_at = 0.0  # on time.monotonic's clock; 0 while the server answers
        self._turn = threading.Lock()

    def lets_through(self) -> bool:
        if not self.retry_at:
            return True
        with self._turn:
            mine = time.monotonic() >= self.retry_at
            if mine:
                self.retry_at = time.monotonic() + self.cool_down
            return mine

    @contextmanager
    def trial(self, *losses: type[Exception]) -> Iterator[None]:
        """Runs what was let through; any end but one of `losses` is an answer."""
        retry_at = 0.0
        try:
            yield
        except losses:
            retry_at = time.monotonic() + self.cool_down
            raise
        finally:
            self.retry_at = retry_at
