"""`make run` has no timer: it runs the commands of one itself, each when it is due, one at a time."""

import sys

import pytest

from embedded import children
from embedded.housekeeping import EVERY, FIRST, HOUR, Housekeeping

pytestmark = pytest.mark.slow


def test_each_command_runs_when_it_is_due_one_at_a_time():
    started = []

    def start(command):
        started.append((command, children.start([sys.executable, "-c", "import time; time.sleep(60)"])))
        return started[-1][1]

    def run_all(now):
        """Looks until nothing more is due; ends each command, after a look at which it still runs."""
        before = len(started)
        while True:
            chores.look(now)
            count = len(started)
            if count == before:
                return
            chores.look(now)
            assert len(started) == count, "another runs beside it"
            children.stop(started[-1][1])
            before = count

    chores = Housekeeping(start, 0)
    for now in (FIRST - 1, FIRST, FIRST + HOUR, FIRST + HOUR + 1, FIRST + 24 * HOUR):
        run_all(now)

    names = [name for name, _child in started]
    assert names[: len(EVERY)] == list(EVERY)
    assert {name: names.count(name) for name in EVERY} == {"prune": 2, "tell_inviters": 2, "remind_invites": 3}
