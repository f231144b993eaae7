"""What went wrong last when an app asked for something, for whoever sets it up: in the cache, as it may be lost."""

from datetime import datetime
from typing import NamedTuple

from django.core.cache import cache
from django.utils import timezone

KEPT = 7 * 24 * 3600  # seconds
PAUSE = 5  # seconds in which no more than one is noted for an app: anybody can send requests in its name
UNREADABLE = (TypeError, ValueError)


class Wrong(NamedTuple):
    """What was wrong with a request of an app, in words for developers without a word of a person, and when it came."""

    what: str
    at: datetime


def note(app: str, what: str) -> None:
    """Notes for the app with this id what was wrong with its request, unless something was noted a moment ago."""
    if cache.add(f"app-wrong-now:{app}", 1, PAUSE):
        cache.set(f"app-wrong:{app}", [what, timezone.now().isoformat()], KEPT)


def last(app: str) -> Wrong | None:
    """Returns what was noted last for the app with this id; None if nothing is known."""
    try:
        what, at = cache.get(f"app-wrong:{app}")
        return Wrong(str(what), datetime.fromisoformat(at))
    except UNREADABLE:  # it is not there, or nobody of ours has stored it
        return None
