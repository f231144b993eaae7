"""Reads lengths of time as people write them: “36h”, “10 days”, “2 недели”."""

import re
from datetime import timedelta

UNITS = {
    "hours": "h hr hrs hour hours ч час часа часов часы",
    "days": "d day days д дн день дня дней дни сут сутки суток",
    "weeks": "w wk week weeks н нед неделя недели неделю недель",
}
NAMES = {name: unit for unit, names in UNITS.items() for name in names.split()}
WRITTEN = re.compile(r"(\d{1,5})\s*([^\W\d_]*)\.?")


def read(text: str) -> timedelta:
    """Returns the length of time that `text` says, in hours, days or weeks; a bare number is of days.

    Raises ValueError for any other text.
    """
    found = WRITTEN.fullmatch(text.strip().lower())
    unit = NAMES.get(found[2] or "days") if found else None
    if not (found and unit):
        raise ValueError(text)
    return timedelta(**{unit: int(found[1])})


def write(length: timedelta) -> str:
    """Returns a length of time of whole hours as read() takes it: “36h”, or “7d” for whole days."""
    hours = int(length.total_seconds()) // 3600
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"
