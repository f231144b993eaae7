"""How long mail takes at the moment. Each web process measures it for its pages, every LOOK_EVERY seconds."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import Error
from django.utils import timezone

from outbox.models import OutboxMessage

log = logging.getLogger("frontdoor.mail")

LATE_AFTER = timedelta(minutes=5)
LOOK_EVERY = 30.0  # seconds between two measurements of a process
LOOKED_AT = 100  # mails that one measurement reads, those whose turn is next
FEW = 2  # domains


def measure() -> timedelta:
    """Returns the age of the oldest mail that ought to have been handed over by now, or zero.

    Untried mail counts: the worker is dead, or busy with a long list of invitations. Failed mail counts if it was
    stored after the mail server last took one. But mail that a mail server put off counts only if it goes to more than
    FEW domains: otherwise a stranger could make all mail look late with an address of their own. Raises DatabaseError
    or InterfaceError if the database fails.
    """
    front = list(OutboxMessage.objects.waiting().order_by("next_try_at").defer("parts")[:LOOKED_AT])
    late = max((_age(row) for row in front if not row.attempts), default=timedelta(0))
    return late if late > LATE_AFTER else max(late, _stuck([row for row in front if row.attempts]))


def _stuck(failing: list[OutboxMessage]) -> timedelta:
    if not failing:
        return timedelta(0)
    sent_at = _last("sent_at")
    rows = [row for row in failing if row.created_at > sent_at]
    met_nobody = [row for row in rows if not row.last_answer[:1].isdigit()]  # a server's answer begins with a digit
    return max(map(_age, met_nobody or _of_many_domains(rows)), default=timedelta(0))


def _of_many_domains(rows: list[OutboxMessage]) -> list[OutboxMessage]:
    if rows:
        # Mail that was given up at once counts here like mail that was handed over: nobody can tell one from the other.
        given_up_at = _last("given_up_at")
        rows = [row for row in rows if row.created_at > given_up_at]
    domains = {row.recipient.rpartition("@")[2] for row in rows}
    return rows if len(domains) > FEW else []


def _last(name: str) -> datetime:
    times = OutboxMessage.objects.filter(**{f"{name}__isnull": False}).order_by(f"-{name}").values_list(name, flat=True)
    return times.first() or datetime.min.replace(tzinfo=UTC)


def _age(row: OutboxMessage) -> timedelta:
    return max(timezone.now() - row.created_at, timedelta(0))


def is_late() -> bool:
    """Returns whether mail takes longer than LATE_AFTER, measured now.

    Raises DatabaseError or InterfaceError if the database fails.
    """
    return measure() > LATE_AFTER


def minutes() -> int:
    """Returns how many minutes mail takes at most, to tell people; 0 if it is not late, or could not be measured.

    Measures only if the last measurement of this process is older than LOOK_EVERY seconds. Raises nothing.
    """
    return watch.minutes()


def last_measured() -> timedelta:
    """Returns how long mail takes at most, as this process has last measured it; zero if that failed.

    Measures only if the last measurement is older than LOOK_EVERY seconds. Raises nothing.
    """
    return watch.lateness()


class Watch:
    """The last measurement of this process. A page neither waits for another page's measurement nor fails with it.

    `next_look`, in seconds of the monotonic clock, is when it measures for the first time.
    """

    def __init__(self, next_look: float = 0.0) -> None:
        self._lateness, self._next_look, self._turn = timedelta(0), next_look, threading.Lock()

    def minutes(self) -> int:
        """Returns how many minutes mail takes at most; 0 if it is not late, or could not be measured.

        Measures first if the last measurement is older than LOOK_EVERY seconds. Raises nothing.
        """
        lateness = self.lateness()
        return round_up(lateness) if lateness > LATE_AFTER else 0

    def lateness(self) -> timedelta:
        """Returns how long mail takes at most; zero if that could not be measured.

        Measures first if the last measurement is older than LOOK_EVERY seconds. Raises nothing.
        """
        if self._is_my_turn():
            self._lateness = self._look()
        return self._lateness

    def _is_my_turn(self) -> bool:
        with self._turn:
            now = time.monotonic()
            mine = now >= self._next_look
            if mine:
                self._next_look = now + LOOK_EVERY
            return mine

    def _look(self) -> timedelta:
        try:
            return measure()
        except Error as error:
            log.warning("nobody knows whether mail is late: %s", error)
            return timedelta(0)


watch = Watch()


def round_up(lateness: timedelta) -> int:
    """Returns `lateness` in minutes, rounded up to the next five; beyond an hour, to the next full hour."""
    step = timedelta(minutes=5) if lateness <= timedelta(hours=1) else timedelta(hours=1)
    return -(-lateness // step) * (step // timedelta(minutes=1))
