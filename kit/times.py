"""Times in words, for pages and mails, in the active language and time zone.

A date always has its weekday and a time its zone: "tomorrow" would be wrong when the mail is read later. `iso` writes
a time for programs.
"""

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext


def on(moment: datetime) -> str:
    """Returns date and time in words, to stand after "on": "Friday 21 November at 14:00 (UTC)".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return _("%(weekday)s %(date)s at %(time)s (%(zone)s)") % _parts(moment, _weekdays_on())


def until(moment: datetime) -> str:
    """Returns a deadline in words, to stand after "until" or "by": "Friday 21 November, 15:00 (UTC)".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return pgettext("until", "%(weekday)s %(date)s, %(time)s (%(zone)s)") % _parts(moment, _weekdays_until())


def day(moment: datetime) -> str:
    """Returns the day of a deadline, for the subjects of mails: "Friday 21 November".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return pgettext("until", "%(weekday)s %(date)s") % _parts(moment, _weekdays_until())


def clock(moment: datetime) -> str:
    """Returns the time of day without the date, for a moment that is near: "14:45 (UTC)".

    It is in the active language and time zone. `moment` must have a time zone.
    """
    return _("%(time)s (%(zone)s)") % _parts(moment, _weekdays_on())


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


def _parts(moment: datetime, weekdays: tuple[str, ...]) -> dict[str, str]:
    local = timezone.localtime(moment)
    return {
        "weekday": weekdays[local.weekday()],
        "date": date_format(local, _("j F")),
        "time": f"{local:%H:%M}",
        "zone": local.tzname() or "",
    }


# Languages with cases, such as Russian, need one form of the weekday after "on" and another after "until".


def _weekdays_on() -> tuple[str, ...]:
    return (
        pgettext("on", "Monday"),
        pgettext("on", "Tuesday"),
        pgettext("on", "Wednesday"),
        pgettext("on", "Thursday"),
        pgettext("on", "Friday"),
        pgettext("on", "Saturday"),
        pgettext("on", "Sunday"),
    )


def _weekdays_until() -> tuple[str, ...]:
    return (
        pgettext("until", "Monday"),
        pgettext("until", "Tuesday"),
        pgettext("until", "Wednesday"),
        pgettext("until", "Thursday"),
        pgettext("until", "Friday"),
        pgettext("until", "Saturday"),
        pgettext("until", "Sunday"),
    )
