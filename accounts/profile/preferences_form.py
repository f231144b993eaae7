"""The form of preferences: language, time zone, theme, and what to be mailed about."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.choices import BaseChoiceIterator
from django.utils.translation import gettext_lazy as _

from accounts import preferences
from kit.form import Form


class SettingsForm(Form):
    """The form of preferences: language, time zone ("" for UTC), theme, and what to mail about.

    That is new devices (`notices`), what became of the invitations that the user has sent (`digest`), and people who
    ask to join (`requests`), which only those can choose who `may_answer` them.
    """

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Used for times on this site and in emails"), required=False
    )
    theme = forms.ChoiceField(
        label=_("Theme"), choices=list(preferences.THEMES.items()), widget=forms.RadioSelect, required=False
    )
    notices = forms.BooleanField(label=_("Email me when someone signs in on a new device"), required=False)
    digest = forms.BooleanField(label=_("Email me once a day what became of my invitations"), required=False)
    requests = forms.BooleanField(label=_("Email me when people ask to join, once an hour at most"), required=False)

    def __init__(self, *args: Any, may_answer: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_answer:
            del self.fields["requests"]
        today = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
        self.fields["time_zone"].choices = Zones(today)  # type: ignore[attr-defined]


class Zones(BaseChoiceIterator):
    """The choices of zone_choices(), which Django would otherwise bring into its own form at each request."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(zone_choices(self.now))


@lru_cache(maxsize=1)  # six hundred zones take a while to read
def zone_choices(now: datetime) -> list[tuple[Any, Any]]:
    """Returns the choices of a form: UTC, then time zones by region, each with its distance from UTC at `now`.

    The value for UTC is "", the others' their names.
    """
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in preferences.zones():
        regions.setdefault(name.partition("/")[0], []).append((name, f"{name.replace('_', ' ')} ({offset(name, now)})"))
    return [("", "UTC"), *regions.items()]


def offset(name: str, now: datetime) -> str:
    """Returns the distance of a time zone from UTC at `now`: "UTC+5:30", or "UTC" for none.

    `name` is one that ZoneInfo knows; for another it raises ZoneInfoNotFoundError.
    """
    minutes = int((now.astimezone(ZoneInfo(name)).utcoffset() or timedelta()).total_seconds()) // 60
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
