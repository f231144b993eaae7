"""Mail that comes back: what a delivery report means for the mail it is about, and for its address."""

import logging
from enum import StrEnum

from django.db import transaction

from mail import reports, statuses, verp
from mail.models import OutboxMessage, Suppression
from mail.reports import Verdict

log = logging.getLogger("frontdoor.mail")


class Outcome(StrEnum):
    BOUNCED = "bounced"
    REPEATED = "repeated"  # had bounced already
    NOT_FINAL = "not final"  # the server goes on trying, or has delivered it
    UNKNOWN = "unknown"  # pruned by now, or never handed over as far as we know
    OTHER = "other mail"  # to no address that we have signed, or written by a machine on somebody's holiday
    UNREADABLE = "unreadable"  # to an address of ours, and no report that we understand


def receive(data: bytes) -> Outcome:
    """Marks the mail that a report says has failed for good, and suppresses its address if that is dead.

    Anything may be in `data`. Raises DatabaseError.
    """
    try:
        report = reports.read(data)
    except reports.Unreadable:
        return Outcome.UNREADABLE
    pk = verp.row_id(report.to)
    if pk is None or report.is_reply:
        return Outcome.OTHER
    if not report.verdicts:
        return Outcome.UNREADABLE
    with transaction.atomic():
        # Waits for the worker: a bounce may be faster than the commit that follows the server's 250.
        row = OutboxMessage.objects.select_for_update().filter(pk=pk).first()
        return _judge(row, report.on(row.recipient)) if row and row.sent_at else Outcome.UNKNOWN


def _judge(row: OutboxMessage, verdicts: list[Verdict]) -> Outcome:
    if not all(verdict.is_final for verdict in verdicts):
        return Outcome.NOT_FINAL
    if not row.mark_bounced(verdicts[0].answer):
        return Outcome.REPEATED
    log.warning("mail %s came back: %s", row.message_id, verdicts[0].status)
    # One that its owner sends on comes back from another address, and what is dead there may live here.
    if any(statuses.is_dead(verdict.status) and verdict.is_about(row.recipient) for verdict in verdicts):
        Suppression.objects.suppress(row.recipient, row.last_answer)
    return Outcome.BOUNCED
