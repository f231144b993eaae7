"""Handing mail over: lock a row, send it, mark it, commit.

A crash at any point rolls back, and the row is ready again at once. Only between the server's 250 and our commit can a
mail go out twice, and then with the same Message-ID and the same link (RFC 1047; RFC 5321 §6.1).
"""

import logging
from contextlib import suppress
from typing import Any

from django.core.mail import mailers
from django.db import DatabaseError, InterfaceError, connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation

from kit.prepared import Given, Prepared
from kit.worker_loop import Worker
from outbox.mail import smtp
from outbox.mail.compose import compose
from outbox.mail.dead_address import says_dead
from outbox.models import OutboxMessage, Suppression
from outbox.models.message import NOT_SENT

log = logging.getLogger("frontdoor.mail")

NOW = Given("now", models.DateTimeField())
DUE = Prepared(lambda: OutboxMessage.objects.due(NOW).select_for_update(skip_locked=True)[:1])
NAMED = Prepared(
    lambda: OutboxMessage.objects.deliverable(NOW).filter(pk=Given("pk", models.BigIntegerField())).select_for_update()
)

MAILS_PER_CONNECTION = 100  # servers hang up on clients that stay for ever


class Deliverer(Worker):
    """A worker that delivers one mail after another, over a connection that stays open while mail is due."""

    def __init__(self) -> None:
        self.backend: Any = mailers["delivery"]  # SmtpBackend or EmlBackend
        self.carried = 0

    def next(self) -> bool:
        """Tries the mail that has been due longest. Returns False if none is due, or other workers have locked it all.

        Raises DatabaseError or InterfaceError if the database fails; the try then counts as failed, if that can be
        saved.
        """
        return self._try(DUE)

    def try_one(self, pk: int) -> bool:
        """Tries the mail with this id, which the broker named. Returns False if it no longer waits for a try.

        Waits for the row's lock, which the relay may still hold, as long as the connection's lock_timeout allows.
        Raises OperationalError after that, and DatabaseError or InterfaceError if the database fails.
        """
        return self._try(NAMED, pk=pk)

    def _try(self, rows: Prepared[OutboxMessage], **given: int) -> bool:
        row = None
        try:
            with transaction.atomic():
                for row in rows.read(now=timezone.now(), **given):  # at most one
                    self.deliver(row)
        except (DatabaseError, InterfaceError):
            if row is not None:
                put_off(OutboxMessage.objects.waiting().filter(pk=row.pk))
            raise
        if self.carried >= MAILS_PER_CONNECTION:
            self.rest()  # after the commit: the server may take its time for "QUIT"
        return row is not None

    def deliver(self, row: OutboxMessage) -> None:
        """Hands a locked row to the mail server, and saves the result: sent, failed, or given up.

        Mail to a suppressed address is given up unsent. Raises DatabaseError or InterfaceError if the database fails.
        """
        if suppressed := Suppression.objects.of(row.recipient):
            with translation.override("en"):  # outbox/replies_in_words.py says it in the language of its reader
                row.give_up(f"{NOT_SENT}{suppressed.explanation}")
            log.info("mail %s given up: its address is suppressed", row.message_id)
            return
        try:
            self.backend.send_messages([compose(row)])
        except Exception as error:  # noqa: BLE001 whatever is wrong with one mail, the others must go on
            self._failed(row, error)
        else:
            self.carried += 1
            row.mark_sent(self.backend.answer)
            log.info("mail %s handed over, try %s", row.message_id, row.attempts)

    def rest(self) -> None:
        """Closes the connection to the mail server; the next mail opens a new one."""
        self.backend.close()
        self.carried = 0

    def _failed(self, row: OutboxMessage, error: Exception) -> None:
        code, answer = smtp.reply(error)
        if smtp.is_permanent(code):
            row.give_up(answer)
            if smtp.is_about_recipient(error) and says_dead(answer):
                row.mark_dead()
        else:
            row.mark_failed(answer)
        if row.given_up_at:
            row.tell_undelivered()
        outcome = "given up" if row.given_up_at else "to be tried again"
        log.warning("mail %s failed, %s: %s", row.message_id, outcome, row.last_answer)
        if not smtp.is_open_after(code):
            self.backend.abandon()
            self.carried = 0


def put_off(rows: QuerySet[Any]) -> None:
    """Counts a failed try for the row in `rows`, after the database session of that try was lost. Raises nothing.

    PostgreSQL ends a session in which one row takes too long. If that try were not counted, the row would be next again
    for ever, and all others would wait. While the database is away nothing is counted, and nothing needs to be.
    """
    connection.close()
    with suppress(DatabaseError, InterfaceError), transaction.atomic():
        row = rows.select_for_update(skip_locked=True).first()
        if row is not None:
            row.mark_failed("The database gave up waiting for the end of this try.")


def deliver_due() -> None:
    """Tries mail until none is due. Raises DatabaseError or InterfaceError if the database fails."""
    Deliverer().finish()
