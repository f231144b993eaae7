"""Reading delivery reports (RFC 3464). Strangers write them, so nothing in them is believed to be well-formed.

Only the outermost parts are read. Ours is among them, and the standard parser takes 20 seconds for a megabyte of parts
nested on purpose.
"""

import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser

LONGEST = 1024 * 1024  # bytes that are read of one message; the mail it returns comes last, and may be cut
MOST_PARTS = 10  # a report has three
MOST_BLOCKS = 100  # a mail of ours has one recipient, who may have it sent on to a few others

# Where servers write whom a message was for, whatever its "To" says.
ENVELOPE = ("Delivered-To", "X-Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")

STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)  # RFC 3463 §2


class Unreadable(Exception):
    """So malformed that not even its head can be read."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mail for one recipient (RFC 3464 §2.3)."""

    action: str
    status: str
    diagnostic: str = ""
    recipients: frozenset[str] = frozenset()

    @property
    def is_final(self) -> bool:
        """Whether it will never arrive. Servers report what they go on trying, too, and what they have delivered."""
        return self.action == "failed" and self.status.startswith("5.")

    @property
    def answer(self) -> str:
        """What the server said, with the status: "550 5.1.1 No such user"."""
        return self.diagnostic if self.status in self.diagnostic else f"{self.status} {self.diagnostic}".strip()

    def is_about(self, recipient: str) -> bool:
        return recipient.lower() in self.recipients


@dataclass(frozen=True)
class Report:
    to: str  # every address that the message may have been for
    verdicts: list[Verdict] = field(default_factory=list)
    is_reply: bool = False  # of a machine (RFC 3834 §5), and no report: "I am on holiday"

    def on(self, recipient: str) -> list[Verdict]:
        """The verdicts that name a recipient; all of them, if the mail was sent on and they name only others."""
        return [verdict for verdict in self.verdicts if verdict.is_about(recipient)] or self.verdicts


def read(data: bytes) -> Report:
    """What a message says. Raises Unreadable; one that is no delivery report has no verdicts."""
    try:
        message = BytesHeaderParser().parsebytes(data[:LONGEST])
        to = " ".join(str(value) for name in ENVELOPE for value in message.get_all(name, []))
        is_automatic = str(message["Auto-Submitted"]).lower().startswith("auto-replied")
        return Report(to, _verdicts(message), is_automatic and message.get_content_type() != "multipart/report")
    except Exception as error:  # the parser has no family of exceptions for what strangers think of
        raise Unreadable from error


def _verdicts(message: Message) -> list[Verdict]:
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/report" or not boundary:
        return []
    if str(message.get_param("report-type")).lower() != "delivery-status":
        return []
    line = re.compile(rf"^--{re.escape(boundary)}(?:--)?[ \t\r]*(?:\n|\Z)", re.MULTILINE)
    parts = line.split(str(message.get_payload()), maxsplit=MOST_PARTS)
    for part in map(HeaderParser().parsestr, parts[1:]):
        if part.get_content_type() == "message/delivery-status":
            blocks = re.split(r"\n\s*\n", str(part.get_payload()), maxsplit=MOST_BLOCKS)
            return [verdict for block in blocks[:MOST_BLOCKS] if (verdict := _verdict(block))]
    return []


def _verdict(block: str) -> Verdict | None:
    """None for the block about the whole message, and for one that does not say what became of it."""
    fields = HeaderParser().parsestr(block.strip())
    action = _words(fields, "Action").partition(" ")[0].lower()
    status = STATUS.match(_words(fields, "Status"))
    if not action or not status:
        return None
    named = (_words(fields, name) for name in ("Final-Recipient", "Original-Recipient"))
    recipients = frozenset(_untyped(name).strip("<>").lower() for name in named if name)
    return Verdict(action, status[0], _untyped(_words(fields, "Diagnostic-Code")), recipients)


def _words(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())


def _untyped(value: str) -> str:
    """The value without the type before it: "smtp; 550 5.1.1 No such user"."""
    return value.partition(";")[2].strip() or value
