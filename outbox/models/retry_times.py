"""How often, and how long, we try what somebody else's server does not take: mail and webhooks alike."""

import secrets
from datetime import datetime, timedelta

from django.utils import timezone

FIRST_PAUSE = timedelta(seconds=10)  # after the first failed try; doubled by each further one
LONGEST_PAUSE = timedelta(hours=1)
PAUSE_SPREAD = 0.2  # of the pause, by chance, so that a returning server is not met by everything at once

GIVE_UP_AFTER = timedelta(days=3)  # links in it are over by then, and who waited has asked again
RETRIABLE = timedelta(days=7)  # after it was given up; no link of ours lives longer
KEPT = timedelta(days=30)  # rows of what nobody delivers any more


def until_given_up() -> datetime:
    return timezone.now() + GIVE_UP_AFTER


def pause_after(tries: int) -> timedelta:
    """How long to wait when so many tries before this one have failed as well."""
    pause = min(FIRST_PAUSE * 2 ** min(tries, 20), LONGEST_PAUSE)
    return pause * secrets.SystemRandom().uniform(1 - PAUSE_SPREAD, 1 + PAUSE_SPREAD)
