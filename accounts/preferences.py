"""Preferences that people set: language, time zone, theme, and whether they are mailed about new devices."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

THEMES = {"": _("Same as my device"), "light": _("Light"), "dark": _("Dark")}

FOR_PAGES = ("language", "time_zone", "theme")  # settings that every page needs; sessions hold a copy

# Other regions have misleading names: Etc/GMT+3 means three hours behind.
REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def for_pages(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Returns those of a user's settings that every page needs, without those that are not chosen."""
    return {name: str(chosen[name]) for name in FOR_PAGES if chosen.get(name)}


def zone(chosen: Mapping[str, Any]) -> ZoneInfo | None:
    """Returns the chosen time zone; None if none is chosen, or this machine does not know it."""
    try:
        return ZoneInfo(chosen["time_zone"]) if chosen.get("time_zone") else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def activate(chosen: Mapping[str, Any]) -> None:
    """Activates the chosen language and time zone for the rest of a request. Pages read the theme themselves.

    Without a chosen time zone UTC is activated; without a chosen language the active one stays.
    """
    timezone.activate(zone(chosen) or UTC)
    if chosen.get("language"):
        translation.activate(chosen["language"])


@cache
def zones() -> list[str]:
    """Returns the names of time zones to choose from, sorted, so that those of a region lie together."""
    return sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)


@contextmanager
def override(chosen: Mapping[str, Any], language: str = "") -> Iterator[str]:
    """Activates in its block the language and time zone of the reader who has these settings; yields the language code.

    `language` is that of the page where the reader asked for something; it counts if they have chosen none.
    """
    code = chosen.get("language") or language or settings.LANGUAGE_CODE
    with translation.override(code), timezone.override(zone(chosen)):
        yield code
