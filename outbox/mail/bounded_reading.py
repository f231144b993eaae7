"""What somebody else's server says, heard no longer and no further than we want to listen."""

import io
import time
from typing import Any, Protocol

MOST = 64 * 1024  # bytes of all answers to one mail or event; it takes a few hundred


class Conversation(Protocol):
    """With one server: over a socket, until a moment, and so many bytes have been heard of it."""

    sock: Any
    heard: int

    def left(self) -> float:
        """Seconds. Raises TimeoutError."""


class Answers(io.RawIOBase):
    """What the server says, read until the moment that the conversation is given. Raises OSError.

    A socket's own timeout begins anew with each byte, so a byte now and then would hold us for ever.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation, self.sock = conversation, conversation.sock
        self.patience = self.sock.gettimeout()

    def buffered(self) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.conversation.heard > MOST:
            raise OSError("its answers have no end")
        left = self.conversation.left()
        self.sock.settimeout(min(left, self.patience or left))
        count: int = self.sock.recv_into(buffer)
        self.conversation.heard += count
        return count


def seconds_until(moment: float) -> float:
    """Of the monotonic clock. Raises TimeoutError when it has passed."""
    left = moment - time.monotonic()
    if left <= 0:
        raise TimeoutError("its answers took too long")
    return left
