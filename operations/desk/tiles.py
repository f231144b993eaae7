"""The tiles of the desk's home: numbers, each of which leads to the list that it counts."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _

from kit.list_filter import capped_in_words
from operations.desk import places
from operations.desk.numbers import Numbers
from outbox.mail import lateness


@dataclass(frozen=True)
class Tile:
    """A number in words, what it counts, and the list it leads to. `tone` is "bad", "warn" or ""."""

    number: str
    label: str
    place: places.Place
    tone: str = ""


def tiles(request: HttpRequest, numbers: Numbers) -> list[Tile]:
    """Returns the tiles whose lists the signed-in person may see."""
    return [tile for tile in every_tile(numbers) if tile.place.is_open_to(request)]


def every_tile(numbers: Numbers) -> list[Tile]:
    """Returns all tiles, whoever asks."""

    def counted(name: str, label: str, place: places.Place, tone: str = "") -> Tile:
        return Tile(capped_in_words(numbers[name]), label, place, tone if numbers[name] else "")

    late = lateness.last_measured()
    return [
        counted("pending", _("waiting for an answer"), places.WAITING),
        counted("undelivered", _("not delivered"), places.UNDELIVERED, "bad"),
        counted("ending", _("ending in 48 hours"), places.ENDING, "warn"),
        counted("accepted", _("accepted this week"), places.ACCEPTED),
        counted("requests", _("requests to join"), places.REQUESTS),
        Tile(brief_span(late), _("mail waits at most"), places.MAIL, "bad" if late > lateness.LATE_AFTER else ""),
    ]


def brief_span(span: timedelta) -> str:
    """Returns a span in as few letters as a tile has room for: "2 min", "3 h"; rounded up, and at least a minute."""
    minutes = max(1, -(-span // timedelta(minutes=1)))
    if minutes <= 90:
        return _("%(count)s min") % {"count": minutes}
    return _("%(count)s h") % {"count": -(-minutes // 60)}
