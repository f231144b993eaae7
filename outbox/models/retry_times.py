"""How often and how long we try again when somebody else's server takes no mail or event from us."""

import secrets
from datetime import datetime, timedelta

from django.utils import timezone

FIRST_PAUSE = timedelta(seconds=10)  # after the first failed try; doubled by each further one
LONGEST_PAUSE = timedelta(hours=1)
PAUSE_SPREAD = 0.2  # share of the pause, by chance, so that not everything meets a returning server at once

GIVE_UP_AFTER = timedelta(days=3)  # links in a mail have mostly expired by then, and whoever waited has asked again
RETRIABLE = timedelta(days=7)  # after giving up; a link lives no longer, unless its invitation is extended
KEPT = timedelta(days=30)  # rows that nobody delivers any more


def until_given_up() -> datetime:
    """Returns when to give up mail or an event that is stored now."""
    return timezone.now() + GIVE_UP_AFTER


def pause_after(tries: int) -> timedelta:
    """Returns how long to wait after a failed try. `tries` is the number of tries that have failed before it.

    It is FIRST_PAUSE if none has, and twice as long for each that has, but no longer than LONGEST_PAUSE; then chance
    makes it longer or shorter by up to PAUSE_SPREAD.
    """
    pause = min(FIRST_PAUSE * 2 ** min(tries, 20), LONGEST_PAUSE)
    return pause * secrets.SystemRandom().uniform(1 - PAUSE_SPREAD, 1 + PAUSE_SPREAD)
