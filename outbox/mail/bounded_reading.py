"""Reading the answers of somebody else's server, with a deadline and a limit of bytes."""

import io
import time
from typing import Any, Protocol

MOST = 64 * 1024  # bytes of all answers to one mail or event; an ordinary server sends a few hundred


class Conversation(Protocol):
    """A connection to one server, with a deadline and a count of the bytes read from it."""

    sock: Any
    bytes_read: int

    def seconds_left(self) -> float:
        """Returns the seconds until the deadline. Raises TimeoutError when it has passed."""


class Answers(io.RawIOBase):
    """The server's answers as a stream of bytes, which ends at the conversation's deadline.

    Reading raises OSError after more than MOST bytes, and TimeoutError at the deadline. A socket's own timeout starts
    again with each byte, so a server could hold us for ever with a byte now and then.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation, self.sock = conversation, conversation.sock
        self.patience = self.sock.gettimeout()

    def buffered(self) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads what comes from the server into `buffer`. Returns the number of bytes, 0 when the server has hung up.

        Raises OSError after more than MOST bytes, or if the connection breaks, and TimeoutError at the deadline.
        """
        if self.conversation.bytes_read > MOST:
            raise OSError("its answers have no end")
        left = self.conversation.seconds_left()
        self.sock.settimeout(min(left, self.patience or left))
        count: int = self.sock.recv_into(buffer)
        self.conversation.bytes_read += count
        return count


def seconds_until(moment: float) -> float:
    """Returns the seconds until `moment` of the monotonic clock. Raises TimeoutError when it has passed."""
    left = moment - time.monotonic()
    if left <= 0:
        raise TimeoutError("its answers took too long")
    return left
