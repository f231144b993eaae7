"""A lane for costly work: bounded, of low priority, and open again after whatever happens in it."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit.lane import LOWER, Full, Lane

DEADLOCKED = 20  # seconds


def blocked(lane, calls, gate):
    """Starts so many calls that stay in the lane until `gate` opens; returns their futures once all are inside."""
    pool = ThreadPoolExecutor(calls)
    futures = [pool.submit(lane.run, gate.wait, DEADLOCKED) for _ in range(calls)]
    while lane.inside < calls:
        pass
    return futures


def test_it_returns_and_raises_what_the_work_does():
    lane = Lane(1, 1)

    assert lane.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        lane.run(divmod, 7, 0)
    assert lane.inside == 0


def test_who_finds_it_full_is_told_at_once_and_the_others_are_served():
    lane, gate = Lane(threads=1, places=2), threading.Event()
    inside = blocked(lane, 3, gate)

    with pytest.raises(Full):
        lane.run(int)
    assert lane.inside == 3

    gate.set()
    assert all(future.result(DEADLOCKED) for future in inside)
    assert lane.inside == 0
    assert lane.run(int) == 0


def test_a_kernel_that_refuses_to_lower_the_priority_closes_no_lane(monkeypatch):
    def refuse(*_args):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)

    assert Lane(1, 1).run(divmod, 7, 2) == (3, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_its_threads_come_after_all_others():
    def priority():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert Lane(1, 1).run(priority) == min(priority() + LOWER, 19)
