"""Thirty days of invitations at the desk: the days of whoever looks, the same in the picture and in its table."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from unittest.mock import patch
from uuid import UUID

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Event
from invites.models import Invite
from kit.ids import earliest
from operations.desk import chart
from tests.operations.test_home import browser
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NUMBER = iter(range(10**6))


def at(moment):
    """Returns a new id of that moment."""
    return UUID(int=earliest(moment).int + next(NUMBER))


def send(moment, many=1):
    rows = [
        Invite(id=at(moment), email=f"guest{next(NUMBER)}@example.com", source="csv", expires_at=moment)
        for _ in range(many)
    ]
    Invite.objects.bulk_create(rows)


def accept(moment, many=1):
    Event.objects.bulk_create([Event(id=at(moment), kind=Event.Kind.ACCEPTED, at=moment) for _ in range(many)])


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


def page_of(**chosen):
    owner = UserFactory(is_staff=True, is_superuser=True, settings=chosen)
    UserFactory()
    return browser(owner).get("/admin/")


def table(page):
    """Returns sent and accepted of each day in the table that has any, by its ISO date."""
    row = r'datetime="(\S+)">[^<]*</time></th><td class="num">(\S+)</td><td class="num">(\S+)</td>'
    rows = re.findall(row, page.text)
    assert len(rows) == 30
    return {day: (sent, accepted) for day, sent, accepted in rows if (sent, accepted) != ("0", "0")}


def description(page):
    return unescape(re.search('<desc id="chart_desc">(.*?)</desc>', page.text)[1])


def bars(page, kind):
    return [float(height) for height in re.findall(rf'<rect class="{kind}"[^>]* height="([\d.]+)"', page.text)]


def test_picture_and_table_say_the_same(subtests):
    send(NOON - timedelta(days=3), 4)
    accept(NOON - timedelta(days=3), 2)
    send(NOON, 1)
    accept(NOON - timedelta(days=1))

    page = page_of()

    assert table(page) == {"2026-11-21": ("4", "2"), "2026-11-23": ("0", "1"), "2026-11-24": ("1", "0")}
    assert description(page) == "5 sent, 3 accepted, most on 21 Nov."
    tall, small = bars(page, "one")
    assert tall == pytest.approx(4 * small, abs=0.2)
    assert bars(page, "two") == [pytest.approx(2 * small, abs=0.2), pytest.approx(small, abs=0.2)]
    assert 'role="img" aria-labelledby="chart_title chart_desc"' in page.text


def test_days_begin_at_midnight_where_the_person_is():
    send(datetime(2026, 11, 23, 23, 30, tzinfo=UTC))
    send(datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC))

    assert table(page_of()) == {"2026-11-23": ("2", "0")}
    assert table(page_of(time_zone="Asia/Tokyo")) == {"2026-11-24": ("1", "0"), "2026-11-23": ("1", "0")}


def test_today_is_the_last_of_thirty_days():
    first = datetime(2026, 10, 26, tzinfo=UTC)
    send(first)
    send(first - timedelta(milliseconds=1))
    send(datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC))

    assert table(page_of()) == {"2026-10-26": ("1", "0"), "2026-11-24": ("1", "0")}


def test_without_any_it_says_so():
    page = page_of()

    assert "None was sent and none accepted in these days." in page.text
    assert "<svg class" not in page.text


def test_a_day_is_counted_up_to_a_bound():
    send(NOON, 5)
    send(NOON - timedelta(days=1), 3)

    with patch.object(chart, "COUNTED", 3):
        page = page_of()

    assert table(page) == {"2026-11-24": ("3+", "0"), "2026-11-23": ("3", "0")}
    assert description(page).startswith("6+ sent, 0 accepted")


def test_it_is_counted_once_a_minute_for_each_zone():
    send(NOON)
    page_of()
    send(NOON)

    assert table(page_of())["2026-11-24"] == ("1", "0")
    assert table(page_of(time_zone="Asia/Tokyo"))["2026-11-24"] == ("2", "0")
    cache.clear()
    assert table(page_of())["2026-11-24"] == ("2", "0")


def test_the_lines_stand_at_round_numbers(subtests):
    for most, middle in ((1, 1), (3, 2), (9, 5), (40, 20), (41, 30), (118, 60), (9_999, 5_000), (50_000, 5_000)):
        with subtests.test(most):
            assert chart.rounded(most) == middle


def test_numbers_of_the_picture_are_written_for_svg_in_every_language():
    send(NOON, 3)

    page = page_of(language="ru")

    assert timezone.get_current_timezone_name()
    assert not re.findall(r'(?:x|y|height|width)="[\d.]+,', page.text)
    assert len(bars(page, "one")) == 1
