"""Bounces: marking the mail that a delivery report is about, and suppressing its address if that is dead."""

import logging
from enum import StrEnum

from django.db import transaction

from outbox import verp
from outbox.bounces import delivery_reports
from outbox.bounces.delivery_reports import Verdict
from outbox.mail import smtp_statuses
from outbox.models import OutboxMessage

log = logging.getLogger("frontdoor.mail")


class Outcome(StrEnum):
    """The result of receive() for one message."""

    BOUNCED = "bounced"
    REPEATED = "repeated"  # the mail was marked as bounced before
    NOT_FINAL = "not final"  # the server goes on trying, or has delivered it
    UNKNOWN = "unknown"  # the mail's row was pruned, or says that it was never handed over
    OTHER = "other mail"  # to no address that we have signed, or an automatic answer from somebody on holiday
    UNREADABLE = "unreadable"  # to an address that we have signed, but no report that we understand


def receive(data: bytes) -> Outcome:
    """Marks the mail that a delivery report calls failed for good, and suppresses its address if that is dead.

    `data` is a message in raw bytes, and may be anything a stranger made up. Returns the outcome, and saves it in a
    transaction of its own. Raises DatabaseError or InterfaceError if the database fails.
    """
    head, body = delivery_reports.split_message(data)
    pk = verp.row_id(delivery_reports.addressees(head))
    # Anyone can write to the bounce address: without our signature nothing more of a message is read.
    if pk is None or delivery_reports.is_reply(head):
        return Outcome.OTHER
    verdicts = delivery_reports.verdicts(head, body)
    if not verdicts:
        return Outcome.UNREADABLE
    with transaction.atomic():
        # The lock waits for the worker: a bounce may be faster than the commit that follows the server's 250.
        row = OutboxMessage.objects.select_for_update().filter(pk=pk).first()
        return (
            _judge(row, delivery_reports.verdicts_about(row.recipient, verdicts))
            if row and row.sent_at
            else Outcome.UNKNOWN
        )


def _judge(row: OutboxMessage, verdicts: list[Verdict]) -> Outcome:
    if not all(verdict.is_final for verdict in verdicts):
        return Outcome.NOT_FINAL
    if not row.mark_bounced(verdicts[0].answer):
        return Outcome.REPEATED
    log.warning("mail %s came back: %s", row.message_id, verdicts[0].status)
    if _says_dead(row.recipient, verdicts):
        row.suppress_recipient()
    return Outcome.BOUNCED


def _says_dead(recipient: str, verdicts: list[Verdict]) -> bool:
    """Returns whether a verdict calls this address itself dead.

    If its owner forwards mail, the dead address may be another one.
    """
    return any(smtp_statuses.is_dead(verdict.status) and verdict.is_about(recipient) for verdict in verdicts)
