"""Telling apps that a session has ended: lock a row, call the app, mark the row, commit.

A crash at any point rolls back, and the row is ready again at once. Only between the app's 200 and our commit can an
app be told twice, which does no harm: its session is over by then.
"""

import logging
import time
from datetime import timedelta
from urllib.parse import urlencode

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import translation

from kit.worker_loop import Worker
from outbox.mail.deliver import put_off
from outbox.models.webhook import PAUSE
from outbox.webhooks import sending, targets
from outbox.webhooks.deliver import REST, SLOW
from outbox.webhooks.sending import Answer
from sso import keys
from sso.back_channel import logout_token, sweep
from sso.models import LogoutCall

log = logging.getLogger("frontdoor.sso")

SWEEP = 60.0  # seconds between two looks for logins that have ended by themselves
MAY_HEAL = {408, 429}  # of 400 to 499; any other refuses this call for good


class Caller(Worker):
    """A worker that goes round the apps with calls due, and makes one call to each in its turn.

    Each minute it ends the logins that have died by themselves.
    """

    def __init__(self) -> None:
        self.last = ""  # the app that was called last; the next in the order of client ids has its turn
        self.paused: dict[str, float] = {}  # until when each app is left alone, by time.monotonic()
        self.sweep_at = 0.0

    def next(self) -> bool:
        """Makes one call. Returns False if none is due, others have locked all, or their apps are left alone.

        Raises DatabaseError or InterfaceError if the database fails; the try then counts as failed, if that can be
        saved.
        """
        now = time.monotonic()
        if now >= self.sweep_at:
            self.sweep_at = now + SWEEP
            keys.signing()  # a first key that a call made would be gone with the call's transaction, if that failed
            sweep.end_dead_logins()
            LogoutCall.objects.give_up_overdue()
        self.paused = {app: until for app, until in self.paused.items() if until > now}
        after, self.last = self.last, ""
        return self._call_next(after) or bool(after and self._call_next(""))

    def rest(self) -> None:
        """Does nothing: there is no connection that stays open."""

    def _call_next(self, after: str) -> bool:
        """Makes the first call due to an app whose client id comes after this. Returns False if there is none."""
        due = LogoutCall.objects.due().filter(client_id__gt=after).exclude(client_id__in=self.paused)
        row = None
        try:
            with transaction.atomic():
                row = due.select_for_update(skip_locked=True).first()
                if row is not None:
                    self.last = row.client_id
                    self._call(row)
        except (DatabaseError, InterfaceError):
            if row is not None:
                put_off(LogoutCall.objects.waiting().filter(pk=row.pk))
            raise
        return row is not None

    def _call(self, row: LogoutCall) -> None:
        """Makes the call of a locked row, saves what became of it, and pauses an app whose server is away or slow.

        Raises DatabaseError or InterfaceError if the database fails.
        """
        started = time.monotonic()
        answer = tell(row)
        took = timedelta(seconds=time.monotonic() - started)
        if answer.is_good:
            row.mark_told(answer.said)
        elif 400 <= answer.status < 500 and answer.status not in MAY_HEAL:
            row.give_up(answer.said)
        else:
            row.mark_failed(answer.said, answer.retry_after)
            self._pause(row, max(PAUSE, took * REST, answer.retry_after))
        if answer.is_good and took > SLOW:
            self._pause(row, took * REST)
        log.info("%s: %s, try %s: %s", row, row.status, row.attempts, row.last_answer)

    def _pause(self, row: LogoutCall, pause: timedelta) -> None:
        self.paused[row.client_id] = time.monotonic() + pause.total_seconds()


def tell(row: LogoutCall) -> Answer:
    """Posts a new logout token to the app of a row, and returns its answer, or what kept us from getting one.

    Raises DatabaseError or InterfaceError if the database fails.
    """
    about = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        body = urlencode({"logout_token": logout_token.mint(row)}).encode()
        with translation.override("en"):  # sso/back_channel/in_words.py says it in the language of its reader
            return sending.post(row.uri, body, about)
    except targets.Unfit as unfit:
        return Answer(0, str(unfit))
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 whatever is wrong with one app, the others must go on
        return Answer(0, f"{type(error).__name__}: {error}")
