"""A crowd in a lane: as many calls as it has room for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

DEADLOCKED = 60  # seconds


@contextmanager
def crowd(lane, room):
    """Fills `lane`, which must have room for so many calls, until the block ends or calls the function it is given.

    Raises AssertionError, at once, if the lane takes in more or fewer calls.
    """
    gate, pool = threading.Event(), ThreadPoolExecutor(room + 1)
    calls = [pool.submit(lane.run, gate.wait, DEADLOCKED) for _ in range(room + 1)]

    def refused():
        return [call for call in calls if call.done()]

    def leave():
        gate.set()
        pool.shutdown()

    try:
        while lane.inside + len(refused()) < len(calls):
            pass
        assert len(refused()) == 1, f"{lane.inside} calls found room for {room}"
        yield leave
    finally:
        leave()
    assert [call.exception() for call in calls].count(None) == room, "a call that had found room was lost"
