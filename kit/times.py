"""Times in words, for pages and mails, in the active language and time zone.

In mails and deadlines a date has its weekday and a time its zone: "tomorrow" would be wrong when the mail is read
later. Lists on a page, which is read at once, have `brief` times, and name the zone once. `iso` writes a time for
programs.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

# Languages with cases, such as Russian, need one form of the weekday after "on" and another after "until".
WEEKDAYS_ON = (
    pgettext_lazy("on", "Monday"),
    pgettext_lazy("on", "Tuesday"),
    pgettext_lazy("on", "Wednesday"),
    pgettext_lazy("on", "Thursday"),
    pgettext_lazy("on", "Friday"),
    pgettext_lazy("on", "Saturday"),
    pgettext_lazy("on", "Sunday"),
)
WEEKDAYS_UNTIL = (
    pgettext_lazy("until", "Monday"),
    pgettext_lazy("until", "Tuesday"),
    pgettext_lazy("until", "Wednesday"),
    pgettext_lazy("until", "Thursday"),
    pgettext_lazy("until", "Friday"),
    pgettext_lazy("until", "Saturday"),
    pgettext_lazy("until", "Sunday"),
)
FORMS = {
    "on": (gettext_lazy("%(weekday)s %(date)s at %(time)s (%(zone)s)"), WEEKDAYS_ON),
    "until": (pgettext_lazy("until", "%(weekday)s %(date)s, %(time)s (%(zone)s)"), WEEKDAYS_UNTIL),
    "day": (pgettext_lazy("until", "%(weekday)s %(date)s"), WEEKDAYS_UNTIL),
}

NEAR_DAYS = {
    -1: gettext_lazy("yesterday, %(time)s"),
    0: gettext_lazy("today, %(time)s"),
    1: gettext_lazy("tomorrow, %(time)s"),
}
DAYS_WITH_TIME = 7  # from today, on which a brief moment has a time of day


def on(moment: datetime) -> str:
    """Returns date and time in words, to stand after "on": "Friday 21 November at 14:00 (UTC)".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return _in_words(moment, "on")


def until(moment: datetime) -> str:
    """Returns a deadline in words, to stand after "until" or "by": "Friday 21 November, 15:00 (UTC)".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return _in_words(moment, "until")


def day(moment: datetime) -> str:
    """Returns the day of a deadline, for the subjects of mails: "Friday 21 November".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return _in_words(moment, "day")


def whole_day(day: date) -> str:
    """Returns a day with its year, in the active language: "1 November 2026"."""
    return date_format(day, _("j F Y"))


def clock(moment: datetime) -> str:
    """Returns the time of day without the date, for a moment that is near: "14:45 (UTC)".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return _("%(time)s (%(zone)s)") % _time(timezone.localtime(moment))


def brief(moment: datetime) -> str:
    """Returns a moment as short as a list needs it: "4 min ago", "today, 10:42", "Tue 24 Nov, 07:49", "24 Nov 2025".

    It is in the active language and time zone. Days have a time of day within a week of today, and a year if it is
    another one. `moment` must have a time zone, and may be to come.
    """
    now, local = timezone.localtime(), timezone.localtime(moment)
    minutes = int((now - local) / timedelta(minutes=1))
    if now >= local and minutes < 60:
        return ngettext("%(count)s min ago", "%(count)s min ago", minutes) % {"count": minutes} if minutes else _("now")
    time, days = f"{local.hour:02}:{local.minute:02}", (local.date() - now.date()).days
    if days in NEAR_DAYS:
        return NEAR_DAYS[days] % {"time": time}
    # Translators: patterns of Django for lists: M and b are short months, with a capital letter and without; Y is the
    # year. \d\e stands for the letters "de".
    day_in_words = date_format(local, _("j M") if local.year == now.year else _("j M Y"))
    if abs(days) > DAYS_WITH_TIME:
        return day_in_words
    return _("%(weekday)s %(day)s, %(time)s") % {"weekday": date_format(local, "D"), "day": day_in_words, "time": time}


def brief_html(moment: datetime) -> str:
    """Returns brief() as HTML, with the full date and time as its tooltip, and for programs."""
    return format_html('<time datetime="{}" title="{}">{}</time>', iso(moment), on(moment), brief(moment))


def lasting(span: timedelta) -> str:
    """Returns a duration in words, in the active language: "3 hours".

    It counts whole units, rounded down: seconds, minutes, hours below 48, then days.
    """
    seconds = int(span.total_seconds())
    if seconds < 60:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    if seconds < 60 * 60:
        return ngettext("%(count)s minute", "%(count)s minutes", seconds // 60) % {"count": seconds // 60}
    hours = seconds // 3600
    if hours < 48:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return ngettext("%(count)s day", "%(count)s days", hours // 24) % {"count": hours // 24}


def next_minute(moment: datetime) -> datetime:
    """Returns the start of the first minute that begins after `moment`.

    Pages name minutes, and nobody should come back within a minute that is not over yet.
    """
    return (moment + timedelta(minutes=1)).replace(second=0, microsecond=0)


def iso(moment: datetime) -> str:
    """Returns a moment for programs, in UTC, to the second: "2026-11-21T14:00:00Z". `moment` must have a zone."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _in_words(moment: datetime, form: str) -> str:
    local = timezone.localtime(moment)
    return _of_day(form, local.weekday(), local.month, local.day, get_language()) % _time(local)


@lru_cache(maxsize=1000)  # most lines of a page or a list name the same few days
def _of_day(form: str, weekday: int, month: int, day: int, language: str | None) -> str:
    """Returns the words for a day in the active `language`, in which blanks stand for time and zone."""
    words, weekdays = FORMS[form]
    # Translators: a pattern of Django: j is the day, F the month by itself, E the month as it stands after a day.
    date_in_words = date_format(date(2000, month, day), _("j F"))  # a leap year
    blanks = {"time": "%(time)s", "zone": "%(zone)s"}
    return str(words) % {"weekday": weekdays[weekday], "date": date_in_words, **blanks}


def _time(local: datetime) -> dict[str, str]:
    return {"time": f"{local.hour:02}:{local.minute:02}", "zone": local.tzname() or ""}
