"""Limits: what they say when they are reached, and what counts towards them."""

import re

import pytest
from django.utils import translation

from accounts import limits
from kit import rate_limit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "hour", "day"),
    [
        ("en", r"after \d\d:\d\d \(UTC\)", r"after \w+day \d+ \w+, \d\d:\d\d \(UTC\)"),
        ("ru", r"после \d\d:\d\d \(UTC\)", r"после \d\d:\d\d \w+, \d+ \w+ \(UTC\)"),
    ],
)
def test_a_wait_of_more_than_twelve_hours_names_the_day_too(language, hour, day):
    with translation.override(language):
        assert re.search(hour, rate_limit.Limited(limits.FACTOR_PER_USER_A_DAY, 12 * 60 * 60).words)
        assert re.search(day, rate_limit.Limited(limits.FACTOR_PER_USER_A_DAY, 12 * 60 * 60 + 1).words)


def test_right_guesses_at_once_do_not_add_up_to_wrong_ones():
    limit = limits.LOGIN_PER_NAME
    for _ in range(limit.most):
        limit.take("ada")
    for _ in range(20):
        with pytest.raises(rate_limit.Limited):
            limit.take("ada")
    for _ in range(limit.most):
        limit.give_back("ada")

    assert limit.take("ada") == 1
