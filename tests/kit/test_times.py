"""Moments that are computed for those who wait, and written for programs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils import translation

from kit import times


@pytest.mark.parametrize(
    ("time", "after"), [("14:00:00.000001", "14:01"), ("14:00:59", "14:01"), ("23:59:30", "00:00")]
)
def test_who_comes_back_in_the_next_minute_comes_back_after_the_moment(time, after):
    moment = datetime.fromisoformat(f"2026-11-21T{time}+00:00")

    minute = times.next_minute(moment)

    assert minute > moment
    assert f"{minute:%H:%M:%S.%f}" == f"{after}:00.000000"


def test_programs_are_told_whole_seconds_of_utc():
    moment = datetime(2026, 11, 21, 16, 0, 1, 900_000, tzinfo=timezone(timedelta(hours=2)))

    assert times.iso(moment) == times.iso(moment.astimezone(UTC)) == "2026-11-21T14:00:01Z"


def test_each_language_has_words_of_its_own_for_the_same_day():
    moment, said = datetime(2026, 11, 21, 14, tzinfo=UTC), []

    for language in ("en", "ru", "en"):
        with translation.override(language):
            said.append(times.day(moment))

    assert said == ["Saturday 21 November", "субботы 21 ноября", "Saturday 21 November"]
