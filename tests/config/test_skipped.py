"""The last line of `make test`: what was skipped, and how to have it run."""

import json
import re
from pathlib import Path

import pytest

from tests.tools import skipped

TESTS = Path(__file__).parents[1]
GIVEN = re.compile(r'(?:skip\(|reason=)"(no [^"]+)"')


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        ({}, "Nothing was skipped."),
        ({"only Linux": 2}, "2 skipped, which do not fit this machine or these settings."),
        (
            {"no nginx": 3, "no RabbitMQ": 4, "only Linux": 2},
            (
                "7 skipped for want of nginx, RabbitMQ. To have them run, install that (on Debian and Ubuntu: sudo apt "
                "install nginx rabbitmq-server) and run make test again. "
                "2 more skipped, which do not fit this machine or these settings."
            ),
        ),
    ],
)
def test_the_last_line_of_make_test_says_how_to_run_what_was_skipped(reasons, words):
    assert skipped.in_words(skipped.Counter(reasons)) == words


def test_the_reasons_of_both_lanes_are_added_up(tmp_path):
    for lane, reasons in {"quick": {"no nginx": 1}, "slow": {"no nginx": 2, "no psql": 1}}.items():
        file = tmp_path / lane / "v" / skipped.KEY
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(reasons))
    (tmp_path / "another").mkdir()
    assert skipped.read(tmp_path.iterdir()) == {"no nginx": 3, "no psql": 1}


def test_it_knows_each_reason_that_tests_give_for_a_missing_program():
    files = [file for file in TESTS.rglob("*.py") if file != Path(__file__)]
    given = {reason for file in files for reason in GIVEN.findall(file.read_text("utf-8"))}
    assert given == set(skipped.WANTED)
