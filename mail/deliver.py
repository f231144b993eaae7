"""Handing mail over: lock a row, send it, mark it, commit.

A crash at any point rolls back, and the row is ready again at once. Only between the server's 250 and our commit can a
mail go out twice, and then with the same Message-ID and the same link (RFC 1047; RFC 5321 §6.1).
"""

import logging

from django.core.mail import mailers
from django.db import transaction

from mail.models import OutboxMessage

log = logging.getLogger("frontdoor.mail")


def deliver_next() -> bool:
    """Tries the one mail that has waited longest. False when none is due that nobody else is at."""
    with transaction.atomic():
        row = OutboxMessage.objects.due().select_for_update(skip_locked=True).first()
        if row is None:
            return False
        deliver(row)
    return True


def deliver(row: OutboxMessage) -> None:
    """Hands a locked row to the mail server, and keeps what came of it."""
    try:
        mailers["delivery"].send_messages([row.compose()])
    except Exception as error:  # noqa: BLE001 whatever is wrong with one mail, the others must go on
        row.mark_failed(f"{type(error).__name__}: {error}")
        log.warning("mail %s to %s failed: %s", row.message_id, row.recipient, row.last_answer)
    else:
        row.mark_sent()
        log.info("mail %s handed over, try %s", row.message_id, row.attempts)
