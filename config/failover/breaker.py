"""A circuit breaker: keeps requests away from a server that was just lost, as each would wait for it again."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Breaker:
    """A circuit breaker for one server.

    For `cool_down` seconds after a loss nobody may ask the server; then one caller may, and the others follow once the
    server has answered.
    """

    def __init__(self, cool_down: float) -> None:
        self.cool_down = cool_down
        self.retry_at = 0.0  # on time.monotonic's clock; 0 while the server answers
        self._turn = threading.Lock()

    def lets_through(self) -> bool:
        """Returns whether the caller may ask the server now. If so, it must ask within trial().

        After a loss, one caller in `cool_down` seconds gets True; all others get False until trial() has seen an
        answer.
        """
        if not self.retry_at:
            return True
        with self._turn:
            mine = time.monotonic() >= self.retry_at
            if mine:
                self.retry_at = time.monotonic() + self.cool_down
            return mine

    @contextmanager
    def trial(self, *losses: type[Exception]) -> Iterator[None]:
        """Context manager around a question to the server: closes the breaker or opens it.

        An exception in `losses` opens it for `cool_down` seconds and passes through. Any other end, also by another
        exception, counts as an answer and closes it.
        """
        retry_at = 0.0
        try:
            yield
        except losses:
            retry_at = time.monotonic() + self.cool_down
            raise
        finally:
            self.retry_at = retry_at
