"""How long an invitation lasts: what the site allows, and how people write it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kit import spans

LEAST = timedelta(hours=1)


def default() -> timedelta:
    """Returns how long an invitation lasts whose inviter says nothing else."""
    chosen: timedelta = settings.INVITE_LIFETIME
    return chosen


def read(text: str) -> timedelta | None:
    """Returns the length of time that `text` says, like “36h”, “10 days” or “30”, which are days; None for "".

    Raises ValidationError, in words, for any other text, and for less than an hour or more than INVITE_MAX_LIFETIME.
    """
    if not text.strip():
        return None
    try:
        length = spans.read(text)
    except ValueError:
        said = _("“%(text)s” is not a length of time. Write it like 36 hours, 10 days or 2 weeks")
        raise ValidationError(said % {"text": text.strip()[:30]}, code="span") from None
    return check(length)


def check(length: timedelta) -> timedelta:
    """Returns `length`. Raises ValidationError, in words, if no invitation may last that long, or that short."""
    if LEAST <= length <= settings.INVITE_MAX_LIFETIME:
        return length
    raise ValidationError(
        _("An invitation works from 1 hour to %(most)s") % {"most": in_words(settings.INVITE_MAX_LIFETIME)},
        code="bounds",
    )


def lengthened(end: datetime, more: timedelta) -> datetime:
    """Returns the end of an invitation that ended at `end` and is given `more` time, as InviteStates.move_end() does.

    That is no later than INVITE_MAX_LIFETIME from now, and no sooner than `end`.
    """
    return max(end, min(end + more, timezone.now() + settings.INVITE_MAX_LIFETIME))


def in_words(length: timedelta) -> str:
    """Returns a length of time in words of the active language: in whole days if it is some, else in hours."""
    hours = int(length.total_seconds()) // 3600
    if hours % 24:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return ngettext("%(count)s day", "%(count)s days", hours // 24) % {"count": hours // 24}
