"""Bounces: marking the mail that a report is about, and suppressing its address if that is dead."""

import logging
from enum import StrEnum

from django.db import transaction

from outbox import verp
from outbox.bounces import parts, report
from outbox.bounces.meaning import Kind, Meaning, meaning
from outbox.models import OutboxMessage

log = logging.getLogger("frontdoor.mail")

# Servers write the address they delivered a message for into one of these headers; "To" may say something else.
ENVELOPE = ("Delivered-To", "X-Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")


class Outcome(StrEnum):
    """The result of receive() for one message."""

    BOUNCED = "bounced"
    REPEATED = "repeated"  # the mail was marked as bounced before
    NOT_FINAL = "not final"  # the server goes on trying, or has delivered it
    COMPLAINT = "complaint"  # whoever got the mail wants no such mail
    UNKNOWN = "unknown"  # the mail's row was pruned, or says that it was never handed over
    OTHER = "other mail"  # to no address that we have signed, or an automatic answer from somebody on holiday
    UNREADABLE = "unreadable"  # to an address that we have signed, but nothing that we understand


OUTCOMES = {Kind.DELAYED: Outcome.NOT_FINAL, Kind.AUTOMATIC: Outcome.OTHER, Kind.UNSURE: Outcome.UNREADABLE}


def receive(data: bytes) -> Outcome:
    """Marks the mail that a report calls failed for good, and suppresses its address if that is dead.

    `data` is a message in raw bytes, and may be anything a stranger made up. Returns the outcome, and saves it in a
    transaction of its own. Raises DatabaseError or InterfaceError if the database fails.
    """
    head, body = parts.split_message(data)
    pk = verp.row_id(" ".join(str(value) for name in ENVELOPE for value in head.get_all(name, [])))
    # Anyone can write to the bounce address: without our signature nothing more of a message is read.
    if pk is None:
        return Outcome.OTHER
    told = report.read(head, body)
    with transaction.atomic():
        # The lock waits for the worker: a bounce may be faster than the commit that follows the server's 250.
        row = OutboxMessage.objects.select_for_update().filter(pk=pk).first()
        means = meaning(told, row.recipient if row else "")
        if means.kind in OUTCOMES:
            return OUTCOMES[means.kind]
        return _save(row, means) if row and row.sent_at else Outcome.UNKNOWN


def _save(row: OutboxMessage, means: Meaning) -> Outcome:
    if means.kind == Kind.COMPLAINT:
        row.hear_complaint()
        log.warning("mail %s was reported as unwanted", row.message_id)
        return Outcome.COMPLAINT
    if not row.mark_bounced(means.answer):
        return Outcome.REPEATED
    log.warning("mail %s came back: %s", row.message_id, means.code or "no code")
    if means.is_dead:
        row.mark_dead()
    return Outcome.BOUNCED
