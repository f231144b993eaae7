"""How long mail takes at the moment; pages know it from a look that their process takes now and then."""

import logging
import threading
import time
from datetime import timedelta

from django.db import Error
from django.db.models import Max
from django.utils import timezone

from mail.models import OutboxMessage

log = logging.getLogger("frontdoor.mail")

LATE_AFTER = timedelta(minutes=5)
LOOK_EVERY = 30.0  # seconds between two looks of a process
LATELY = 10  # mails handed over last


def measure() -> timedelta:
    """The age of the oldest mail that waits although it is younger than what was handed over last; or zero.

    One address that is greylisted keeps its own mail waiting, not that of others; a dead worker or mail server keeps
    all, and a long list of invitations whatever stands behind it. Raises DatabaseError.
    """
    sent = OutboxMessage.objects.filter(sent_at__isnull=False).order_by("-sent_at")
    youngest = sent[:LATELY].aggregate(id=Max("id"))["id"] or 0
    waiting = OutboxMessage.objects.waiting().filter(pk__gt=youngest).order_by("id")
    since = waiting.values_list("created_at", flat=True).first()
    return max(timezone.now() - since, timedelta(0)) if since else timedelta(0)


def is_late() -> bool:
    """Looks now. Raises DatabaseError."""
    return measure() > LATE_AFTER


def minutes() -> int:
    """What to tell people: how long mail takes at most, by the last look; 0 when it is not late, or nobody knows."""
    return watch.minutes()


class Watch:
    """The last look of this process. A page neither waits for the look of another nor fails with it."""

    def __init__(self, next_look: float = 0.0) -> None:
        self._minutes, self._next_look, self._turn = 0, next_look, threading.Lock()

    def minutes(self) -> int:
        if self._is_my_turn():
            self._minutes = self._look()
        return self._minutes

    def _is_my_turn(self) -> bool:
        with self._turn:
            now = time.monotonic()
            mine = now >= self._next_look
            if mine:
                self._next_look = now + LOOK_EVERY
            return mine

    def _look(self) -> int:
        try:
            lateness = measure()
        except Error as error:
            log.warning("nobody knows whether mail is late: %s", error)
            return 0
        return rounded(lateness) if lateness > LATE_AFTER else 0


watch = Watch()


def rounded(lateness: timedelta) -> int:
    """In minutes, up to the next five; beyond an hour up to the next full hour."""
    step = timedelta(minutes=5) if lateness <= timedelta(hours=1) else timedelta(hours=1)
    return -(-lateness // step) * (step // timedelta(minutes=1))
