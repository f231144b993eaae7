"""Preferences that people set: language, time zone, theme, and what they are mailed about.

The last are `notices`, of new devices, `digest`, once a day, of what became of invitations, and `requests`, of people
who ask to join, for those who may answer them; all are on at first.
"""

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

TELL = (
    "notices",
    "digest",
    "requests",
)  # what the owner is mailed about; whoever turns it off may have something to hide
FOR_PAGES = ("language", "time_zone", "theme")  # settings that every page needs; sessions hold a copy

# Other regions have misleading names: Etc/GMT+3 means three hours behind.
REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def for_pages(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Returns those of a user's settings that every page needs: "language", "time_zone" and "theme".

    `chosen` is User.settings; a setting that is not chosen is left out.
    """
    return {name: str(chosen[name]) for name in FOR_PAGES if chosen.get(name)}


def silenced(chosen: Mapping[str, Any]) -> list[str]:
    """Returns the names in TELL that are turned off in `chosen` (User.settings)."""
    return [name for name in TELL if not chosen.get(name, True)]


def zone(chosen: Mapping[str, Any]) -> ZoneInfo | None:
    """Returns the time zone in `chosen` (User.settings); None if none is chosen, or this machine does not know it."""
    try:
        return ZoneInfo(chosen["time_zone"]) if chosen.get("time_zone") else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def activate(chosen: Mapping[str, Any]) -> None:
    """Activates the language and time zone in `chosen` (User.settings) for the rest of a request.

    Without a chosen time zone UTC is activated; without a chosen language the active one stays. Pages read the theme
    themselves.
    """
    timezone.activate(zone(chosen) or UTC)
    if code := spoken(chosen.get("language", "")):
        translation.activate(code)


def spoken(code: str) -> str:
    """Returns a language's code, or "" if this site does not speak it, perhaps not any more."""
    return code if code in dict(settings.LANGUAGES) else ""


def of_desk(code: str | None) -> str:
    """Returns the language in which the desk speaks to a reader of this one: the same, if the desk speaks it.

    The catalogues of the others have no strings of the desk: Django's own words in them would stand among English ones.
    """
    return code if code in settings.DESK_LANGUAGES else str(settings.DESK_LANGUAGES[0])


@cache
def zones() -> list[str]:
    """Returns the names of the time zones in REGIONS, sorted, so that those of a region lie together."""
    return sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)


@contextmanager
def override(chosen: Mapping[str, Any], language: str = "") -> Iterator[str]:
    """Activates, in its block, the language and time zone of a reader, and yields the code of that language.

    `chosen` is the reader's User.settings. `language` is that of the page where they asked for something; it counts if
    they have chosen none. Without either, or if the site does not speak it any more, the language is LANGUAGE_CODE;
    without a chosen time zone it is TIME_ZONE.
    """
    code = spoken(chosen.get("language", "")) or spoken(language) or settings.LANGUAGE_CODE
    with translation.override(code), timezone.override(zone(chosen)):
        yield code
