"""Runs both lanes of the tests, runs failed tests once more and alone, and ends with one line in the words of pytest.

A test that passes alone is flaky: it is named, and fails nothing. The result is a failure if a test fails twice, or if
a lane ends before all of its tests have run.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

CACHES = Path(".pytest_cache")
LANES = ("quick", "slow")
CLOSING = re.compile(r"^((?:\d+ [a-z ]+(?:, )?)+) in [\d.]+s", re.MULTILINE)
PASSED, SOME_FAILED = "0", "1"  # exit codes of pytest when all tests have run


def main() -> None:
    started, flaky = time.monotonic(), []
    shutil.rmtree(CACHES, ignore_errors=True)
    total = count(make("test"))
    again: Counter[str] = Counter()
    for lane in LANES:
        names = failed(lane)
        if names and ended(lane) == SOME_FAILED:
            again += count(make(f"test-{lane}", "ARGS=--last-failed --last-failed-no-failures none -n 0"))
            if ended(lane) == PASSED and not failed(lane):
                flaky += names
    broken = any(ended(lane) != PASSED for lane in LANES)
    tell(flaky, total if broken else settle(total, again), time.monotonic() - started)
    sys.exit(broken)


def make(*args: str) -> str:
    """Runs make, prints its output, and returns it."""
    said = []
    with subprocess.Popen(
        ["make", *args], stdout=subprocess.PIPE, text=True, errors="replace", env=os.environ | {"PY_COLORS": "0"}
    ) as running:
        for line in running.stdout:
            print(line, end="", flush=True)
            said.append(line)
    return "".join(said)


def count(said: str) -> Counter[str]:
    """Returns how many tests passed, failed and so on, by the closing lines of pytest in `said`."""
    pairs = [pair.split(" ", 1) for closing in CLOSING.findall(said) for pair in closing.split(", ")]
    total: Counter[str] = Counter()
    for number, word in pairs:
        total[word] += int(number)
    return total


def ended(lane: str) -> str:
    file = CACHES / lane / "ended"
    return file.read_text().strip() if file.exists() else ""


def failed(lane: str) -> list[str]:
    file = CACHES / lane / "v/cache/lastfailed"
    return list(json.loads(file.read_text())) if file.exists() else []


def settle(total: Counter[str], again: Counter[str]) -> Counter[str]:
    """Returns the total with failed tests counted as passed: all of them have passed in the second run, `again`."""
    good = {word: number for word, number in total.items() if not re.search("failed|error", word)}
    return Counter(good) + Counter(passed=again["passed"])


def tell(flaky: list[str], total: Counter[str], seconds: float) -> None:
    for name in flaky:
        print(f"FLAKY {name} failed among others and passed alone")
    words = ", ".join(f"{number} {word}" for word, number in total.items() if word != "deselected")
    print(f"{words or 'no tests ran'} in {seconds:.2f}s")


if __name__ == "__main__":
    main()
