"""Identifiers (UUIDv7) that sort by the time at which they were made."""

import os
import time
from datetime import datetime
from uuid import UUID


def uuid7() -> UUID:
    """Returns a new UUIDv7: 48 bits of milliseconds, 12 of their fraction, 62 random (RFC 9562 §5.7, §6.2 method 3).

    The fraction keeps ids in order that one process makes within a millisecond. The standard library has UUIDv7 only
    from Python 3.14.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    chance = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | chance)


def earliest(moment: datetime) -> UUID:
    """Returns an id that sorts before all that uuid7() makes from `moment` on, and after all earlier ones.

    It turns a range of times, to the millisecond, into a range of ids: `id__gte=earliest(start), id__lt=earliest(end)`.
    """
    return UUID(int=int(moment.timestamp() * 1000) << 80)
