"""Reading delivery reports (RFC 3464). Strangers write them, so nothing in them is believed to be well-formed.

Only the outermost parts are read, ours is among them, and of the standard parser only what splits a head into its
headers. For a megabyte made up on purpose, the rest of it takes seconds (parts nested in parts) or minutes (parameters,
the characters of a charset that the sender has chosen), or fails.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

LONGEST = 1024 * 1024  # bytes that are read of one message; the mail it returns comes last, and may be cut
LONGEST_HEAD = 64 * 1024  # characters that are read of one head, and of all that is said about the recipients
MOST_PARTS = 10  # a report has three
MOST_BLOCKS = 100  # a mail of ours has one recipient, who may have it sent on to a few others

# Where servers write whom a message was for, whatever its "To" says.
ENVELOPE = ("Delivered-To", "X-Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")

STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)  # RFC 3463 §2


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


def opened(data: bytes) -> tuple[Message, str]:
    """The head of a message, and all that follows it. No message fails."""
    return _split(data[:LONGEST].decode("ascii", "replace").replace("\r\n", "\n"))


def addressees(head: Message) -> str:
    """Every address that a message may have been for."""
    return " ".join(value for name in ENVELOPE for value in head.get_all(name, []))


def is_reply(head: Message) -> bool:
    """Whether a machine has answered (RFC 3834 §5), which is no report: "I am on holiday"."""
    is_automatic = head.get("Auto-Submitted", "").lower().startswith("auto-replied")
    return is_automatic and head.get_content_type() != "multipart/report"


def verdicts(head: Message, body: str) -> list[Verdict]:
    """What a message says became of a mail; nothing, if it is no delivery report."""
    if head.get_content_type() != "multipart/report" or _parameter(head, "report-type").lower() != "delivery-status":
        return []
    for part, content in _parts(body, _parameter(head, "boundary")):
        if part.get_content_type() == "message/delivery-status":
            blocks = re.split(r"\n\s*\n", content[:LONGEST_HEAD], maxsplit=MOST_BLOCKS)
            return [verdict for block in blocks[:MOST_BLOCKS] if (verdict := _verdict(block))]
    return []


def on(recipient: str, verdicts: list[Verdict]) -> list[Verdict]:
    """The verdicts that name a recipient; all of them, if the mail was sent on and they name only others."""
    return [verdict for verdict in verdicts if verdict.is_about(recipient)] or verdicts


def _split(text: str) -> tuple[Message, str]:
    """Head and body: they end and begin at the first empty line."""
    head, _, body = text.partition("\n\n")
    return HeaderParser().parsestr(head[:LONGEST_HEAD]), body


def _parameter(head: Message, name: str) -> str:
    """A parameter of the Content-Type, or ""."""
    pattern = rf';\s*{name}\s*=\s*(?:"([^"\n]*)"|([^\s";]+))'
    found = re.search(pattern, head.get("Content-Type", ""), re.IGNORECASE)
    return found[1] or found[2] or "" if found else ""


def _parts(body: str, boundary: str) -> Iterator[tuple[Message, str]]:
    """The head and the content of each part (RFC 2046 §5.1.1)."""
    if not boundary:
        return
    line = re.compile(rf"^--{re.escape(boundary)}(?:--)?[ \t\r]*(?:\n|\Z)", re.MULTILINE)
    yield from map(_split, line.split(body, maxsplit=MOST_PARTS)[1:])


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
