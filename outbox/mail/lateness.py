"""How long mail takes at the moment; pages know it from a look that their process takes now and then."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import Error
from django.utils import timezone

from outbox.models import OutboxMessage

log = logging.getLogger("frontdoor.mail")

LATE_AFTER = timedelta(minutes=5)
LOOK_EVERY = 30.0  # seconds between two looks of a process
LOOKED_AT = 100  # mails whose turn is next
FEW = 2  # domains


def measure() -> timedelta:
    """How old the mail is that ought to have been handed over by now; or zero. Raises DatabaseError.

    A dead worker leaves all mail untried, and a long list of invitations whatever stands behind it. A dead mail server
    leaves what was put since it took the last one. But a mail that it has put off waits for its own sake, as long as
    it is one of few domains: or a stranger could make all mail look late with an address of their own.
    """
    front = list(OutboxMessage.objects.waiting().order_by("next_try_at").defer("parts")[:LOOKED_AT])
    late = max((_age(row) for row in front if not row.attempts), default=timedelta(0))
    return late if late > LATE_AFTER else max(late, _stuck([row for row in front if row.attempts]))


def _stuck(failing: list[OutboxMessage]) -> timedelta:
    if not failing:
        return timedelta(0)
    sent_at = _last("sent_at")
    rows = [row for row in failing if row.created_at > sent_at]
    met_nobody = [row for row in rows if not row.last_answer[:1].isdigit()]  # it is no server's answer
    return max(map(_age, met_nobody or _of_many_domains(rows)), default=timedelta(0))


def _of_many_domains(rows: list[OutboxMessage]) -> list[OutboxMessage]:
    if rows:
        # What is given up at once counts here as handed over, so that nobody can tell one from the other.
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
