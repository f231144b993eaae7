"""A lane for costly work: bounded, of low priority, and open again after whatever happens in it."""

import os
import sys
import threading

import pytest

from kit.lane import LOWER, Full, Lane
from tests.tools.crowd import crowd


class Watched(Lane):
    """A lane that notes whether its lock is held, each time that its count is read or changed."""

    def __init__(self, *size):
        self.held = []
        super().__init__(*size)

    @property
    def inside(self):
        self.held.append(self._lock.locked())
        return self.count

    @inside.setter
    def inside(self, count):
        self.held.append(self._lock.locked())
        self.count = count


def test_it_returns_and_raises_what_the_work_does():
    lane = Lane(1, 1)

    assert lane.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        lane.run(divmod, 7, 0)
    assert lane.inside == 0


def test_who_finds_it_full_is_told_at_once_and_the_others_are_served():
    lane = Lane(threads=1, places=2)

    with crowd(lane, 3) as leave:
        with pytest.raises(Full):
            lane.run(int)
        assert lane.inside == 3

        leave()
        assert lane.inside == 0
        assert lane.run(int) == 0


def test_threads_count_one_after_the_other():
    lane = Watched(1, 1)
    lane.held.clear()  # nobody else knows a lane that is being made

    lane.run(int)

    assert lane.held
    assert all(lane.held)


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
