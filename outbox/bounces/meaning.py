"""What a report means for the mail that it came back to: the one place that decides it."""

from enum import StrEnum
from typing import NamedTuple

from outbox.bounces import words
from outbox.bounces.delivery_reports import Verdict, verdicts_about
from outbox.bounces.report import Report
from outbox.mail.dead_address import says_dead
from outbox.mail.replies import find_status, from_refusal


class Kind(StrEnum):
    """What a report is about."""

    FAILURE = "failure"  # the mail will never arrive
    DELAYED = "delayed"  # the server goes on trying, or has delivered it
    AUTOMATIC = "automatic"  # an answer from a program of the mailbox, such as "I am on holiday", or a receipt
    COMPLAINT = "complaint"  # whoever got the mail has called it unwanted
    UNSURE = "unsure"  # somebody must read it


class Meaning(NamedTuple):
    """What a report means: its kind and, of a failure, the server's words, their code, and whether the address is dead.

    `code` is like "5.1.1" or "550", or "" if there is none.
    """

    kind: Kind
    answer: str = ""
    code: str = ""
    is_dead: bool = False


# Types of RFC 5965 by which people, or those who run their mailboxes, say that they want no such mail. The others,
# such as auth-failure and virus, are about mail that somebody has sent in our name or changed.
UNWANTED = {"abuse", "complaint", "fraud", "opt-out", "opt-out-list"}


def meaning(report: Report, recipient: str) -> Meaning:
    """Returns what a report means for the mail to `recipient` that it came back to.

    What machines wrote for machines comes first: complaints, receipts, then the fields of delivery reports. Only
    without them do the words count.
    """
    if report.feedback:
        return Meaning(Kind.COMPLAINT if report.feedback in UNWANTED else Kind.UNSURE)
    if report.disposition:
        return Meaning(Kind.AUTOMATIC if "displayed" in report.disposition else Kind.UNSURE)
    if report.verdicts:
        return _by_fields(verdicts_about(recipient, report.verdicts), report, recipient)
    return _by_words(report, recipient)


def _by_fields(verdicts: list[Verdict], report: Report, recipient: str) -> Meaning:
    """Returns the meaning of verdicts: a failure if all are final. The words only fill in for a missing diagnosis.

    A verdict that does not name the recipient says nothing of the recipient's address: if its owner forwards mail, the
    dead address may be another one.
    """
    if not all(verdict.is_final for verdict in verdicts):
        return Meaning(Kind.DELAYED)
    first = verdicts[0]
    told = words.with_reply(words.about(recipient, report.words)) if not first.diagnostic else ""
    says_full = bool(words.FULL.search(report.words))  # some servers write "user unknown" into the fields all the same
    is_dead = not says_full and any(
        verdict.is_about(recipient) and says_dead(verdict.diagnostic or told, verdict.status) for verdict in verdicts
    )
    answer = f"{first.status} {from_refusal(told)}" if told else first.answer
    return Meaning(Kind.FAILURE, answer, find_status(first.diagnostic) or first.status, is_dead)


def _by_words(report: Report, recipient: str) -> Meaning:
    """Returns the meaning of a report without fields.

    Warnings that a mail is late are unsure: not all of them say so, and for some servers it is the last word.
    """
    if report.is_answer and not report.is_from_server:
        return Meaning(Kind.AUTOMATIC)
    said = " ".join(f"{report.subject}\n{report.words}".split())
    told = words.about(recipient, report.words)
    is_dead = bool(told) and says_dead(told)
    fails = report.names_failed or is_dead or bool(words.FAILURE.search(said))
    is_trusted = (
        report.is_from_server
        or report.names_failed
        or (report.is_from_nobody and not report.is_automatic)
        or bool(words.with_reply(told))
    )
    if not fails and report.is_automatic and not report.is_from_server:
        return Meaning(Kind.AUTOMATIC)
    if not fails or not is_trusted or words.LATE.search(said):
        return Meaning(Kind.UNSURE)
    answer = from_refusal(told) or words.best_line(report.words) or report.subject
    return Meaning(Kind.FAILURE, answer, find_status(answer), is_dead)
