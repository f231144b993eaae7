"""Moments that are computed for those who wait, and written for programs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.utils import timezone as zone
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


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-25T11:59:31", "now"),
        ("2026-11-25T11:56:00", "4 min ago"),
        ("2026-11-25T10:42:00", "today, 10:42"),
        ("2026-11-25T12:10:00", "today, 12:10"),
        ("2026-11-24T23:50:00", "yesterday, 23:50"),
        ("2026-11-26T08:00:00", "tomorrow, 08:00"),
        ("2026-11-18T07:49:00", "Wed 18 Nov, 07:49"),
        ("2026-12-02T07:49:00", "Wed 2 Dec, 07:49"),
        ("2026-11-17T07:49:00", "17 Nov"),
        ("2025-11-24T07:49:00", "24 Nov 2025"),
        ("2027-01-24T07:49:00", "24 Jan 2027"),
    ],
)
@time_machine.travel("2026-11-25T12:00:00+00:00", tick=False)
def test_lists_have_short_times(moment, said):
    assert times.brief(datetime.fromisoformat(f"{moment}+00:00")) == said


@time_machine.travel("2026-11-25T22:30:00+00:00", tick=False)
def test_today_is_that_of_the_readers_zone():
    with zone.override("Europe/Moscow"):  # where it is half past one on the 26th
        assert times.brief(datetime(2026, 11, 25, 20, 59, tzinfo=UTC)) == "yesterday, 23:59"
        assert times.brief(datetime(2026, 11, 25, 21, tzinfo=UTC)) == "today, 00:00"


@time_machine.travel("2026-11-25T12:00:00+00:00", tick=False)
def test_a_short_time_has_the_full_one_for_whoever_points_at_it():
    html = times.brief_html(datetime(2026, 11, 24, 10, 42, tzinfo=UTC))

    title = "Tuesday 24 November at 10:42 (UTC)"
    assert html == f'<time datetime="2026-11-24T10:42:00Z" title="{title}">yesterday, 10:42</time>'
