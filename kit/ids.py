"""Identifiers that sort by the time they were made."""

import os
import time
from datetime import datetime
from uuid import UUID


def uuid7() -> UUID:
    """A UUIDv7: 48 bits of milliseconds, 12 of their fraction, 62 of chance (RFC 9562 §5.7 and §6.2, method 3).

    With the fraction, what one process writes down within a millisecond stays in order. The standard library has
    UUIDv7 from Python 3.14.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    chance = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | chance)


def earliest(moment: datetime) -> UUID:
    """Lies between what was made before a moment and what was made after it: ranges of time are ranges of ids."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
