"""What people choose for themselves: language, time zone, theme, and whether new devices are reported."""

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

FOLLOWED = ("language", "time_zone", "theme")  # what a page needs to know; sessions hold a copy of it

# What other regions' names are for (Etc/GMT+3 means three hours behind) nobody would guess.
REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def followed(chosen: Mapping[str, Any]) -> dict[str, str]:
    """The part of somebody's settings that pages follow, without what is not chosen."""
    return {name: str(chosen[name]) for name in FOLLOWED if chosen.get(name)}


def zone(chosen: Mapping[str, Any]) -> ZoneInfo | None:
    """The chosen time zone, or None where none is chosen or this machine does not know it."""
    try:
        return ZoneInfo(chosen["time_zone"]) if chosen.get("time_zone") else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def activate(chosen: Mapping[str, Any]) -> None:
    """Language and time zone for the rest of a request; the theme is read by the pages themselves."""
    timezone.activate(zone(chosen) or UTC)
    if chosen.get("language"):
        translation.activate(chosen["language"])


@cache
def zones() -> list[str]:
    """The names to choose from, by region."""
    return sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)


@contextmanager
def read_by(chosen: Mapping[str, Any], language: str = "") -> Iterator[str]:
    """Words and times as somebody with these settings reads them; gives the language.

    `language` is that of the page where something was asked for; it counts for who has chosen none.
    """
    code = chosen.get("language") or language or settings.LANGUAGE_CODE
    with translation.override(code), timezone.override(zone(chosen)):
        yield code
