"""Thirty days of invitations as a picture, which the server draws, and as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Event
from invites.models import Invite
from kit.ids import earliest
from kit.long_list import with_separators
from operations.desk.counting import count
from operations.desk.remembered import remembered

DAYS = 30
REMEMBERED = 60  # seconds, for each time zone: its days begin at other moments
COUNTED = 10_000  # invitations of one day

# Of the picture, in pixels.
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 168, 44, 24.7, 140
STEP = (WIDTH - LEFT) / DAYS
BAR = STEP * 0.72
LABELLED = 7  # days from one date below the picture to the next


@dataclass(frozen=True)
class Day:
    """A day of the chart: how many invitations were sent and accepted, and where its bars and its label stand."""

    date: date
    sent: str
    accepted: str
    x: str
    middle: str
    bars: list[tuple[str, str, str]]  # class, y and height of each
    label: str

    @property
    def name(self) -> str:
        """The date in words."""
        return date_format(self.date, _("j M"))


@dataclass(frozen=True)
class Chart:
    """The picture: its days, its lines with y and number, its description, and its measures as SVG writes them."""

    days: list[Day]
    lines: list[tuple[str, str]]
    description: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bar: str = f"{BAR:.1f}"

    @property
    def is_empty(self) -> bool:
        """True if nothing was sent and nothing accepted."""
        return not self.description


def look(request: HttpRequest) -> Chart:
    """Returns the last DAYS days in the active time zone, today included; the numbers are up to a minute old."""
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    key = f"chart:{today}:{timezone.get_current_timezone_name()}"
    return draw(days, remembered(key, REMEMBERED, read, lambda: count(request, dict(rows(days)), COUNTED)))


def read(stored: Any) -> list[tuple[int, int]]:
    """Returns what was stored: sent and accepted of each day. Raises TypeError, ValueError or KeyError otherwise."""
    return [(int(stored[f"sent{place}"]), int(stored[f"accepted{place}"])) for place in range(DAYS)]


def rows(days: list[date]) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Yields what was sent and what was accepted on each day, which begins at midnight in the active time zone.

    Both tables have ids that sort by time, so each day is a range of one index.
    """
    for place, day in enumerate(days):
        since, until = (earliest(midnight(one)) for one in (day, day + timedelta(days=1)))
        of_day = {"id__gte": since, "id__lt": until}
        yield f"sent{place}", Invite.objects.order_by().filter(**of_day)
        yield f"accepted{place}", Event.objects.order_by().filter(kind=Event.Kind.ACCEPTED, **of_day)


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def draw(days: list[date], numbers: list[tuple[int, int]]) -> Chart:
    """Returns the chart of these numbers, sent and accepted of each day."""
    most = max(max(pair) for pair in numbers)
    step = rounded(most)
    scale = (BOTTOM - TOP) / (2 * step)
    lines = [(f"{BOTTOM - number * scale:.1f}", with_separators(number)) for number in (0, step, 2 * step)]
    drawn = [
        draw_day(day, pair, LEFT + STEP * place, scale, place % LABELLED == 0)
        for place, (day, pair) in enumerate(zip(days, numbers, strict=True))
    ]
    return Chart(drawn, lines, describe(days, numbers) if most else "")


def draw_day(day: date, numbers: tuple[int, int], x: float, scale: float, labelled: bool) -> Day:
    """Returns a day whose bars stand at `x`, `scale` pixels high for each invitation."""
    heights = [min(number, COUNTED) * scale for number in numbers]
    bars = [
        (kind, f"{BOTTOM - height:.1f}", f"{height:.1f}")
        for kind, height in zip(("one", "two"), heights, strict=True)
        if height
    ]
    label = date_format(day, _("j M")) if labelled else ""
    return Day(day, total(numbers[0]), total(numbers[1]), f"{x:.1f}", f"{x + BAR / 2:.1f}", bars, label)


def rounded(most: int) -> int:
    """Returns the number of the middle line: a round one, twice which is at least `most`."""
    half, size = max(1, -(-min(most, COUNTED) // 2)), 1
    while size * 10 < half:
        size *= 10
    return next(size * times for times in (1, 2, 3, 4, 5, 6, 8, 10) if size * times >= half)


def describe(days: list[date], numbers: list[tuple[int, int]]) -> str:
    """Returns what the picture shows, in a sentence for whoever cannot see it."""
    sent, accepted = zip(*numbers, strict=True)
    busiest = max(zip(numbers, days, strict=True))[1]
    said = {"sent": total(*sent), "accepted": total(*accepted), "day": date_format(busiest, _("j M"))}
    return _("%(sent)s sent, %(accepted)s accepted, most on %(day)s.") % said


def total(*numbers: int) -> str:
    """Returns the sum of numbers as people write it: "1,024", or "10,000+" if more than COUNTED are one of them."""
    more = "+" if max(numbers) > COUNTED else ""
    return with_separators(sum(min(number, COUNTED) for number in numbers)) + more
