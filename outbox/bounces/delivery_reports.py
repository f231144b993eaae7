"""Reading delivery reports (RFC 3464). Strangers write them, so nothing in them is believed to be well-formed.

Only the outermost parts are read: the delivery status is one of them. Of the standard parser, only the code that splits
a head into its headers is used. The rest of it takes seconds for a megabyte of nested parts made up on purpose, takes
minutes for parameters or for the characters of a charset that the sender has chosen, or fails.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

LONGEST = 1024 * 1024  # bytes that are read of one message; the returned mail comes last in it, and may be cut
LONGEST_HEAD = 64 * 1024  # characters that are read of one head, and of the part about the recipients
MOST_PARTS = 10  # a report has three
MOST_BLOCKS = 100  # our mail has one recipient, who may forward it to a few others

# Servers write the address they delivered a message for into one of these headers; "To" may say something else.
ENVELOPE = ("Delivered-To", "X-Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")

STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)  # RFC 3463 §2


@dataclass(frozen=True)
class Verdict:
    """The fate of a mail for one recipient (RFC 3464 §2.3).

    `action` and `recipients` are in lower case; `status` is like "5.1.1", `diagnostic` like "550 5.1.1 No such user".
    """

    action: str
    status: str
    diagnostic: str = ""
    recipients: frozenset[str] = frozenset()

    @property
    def is_final(self) -> bool:
        """True if the mail will never arrive. Servers also report mail that they go on trying, or have delivered."""
        return self.action == "failed" and self.status.startswith("5.")

    @property
    def answer(self) -> str:
        """The words of the server, with the status in front unless they contain it: "550 5.1.1 No such user"."""
        return self.diagnostic if self.status in self.diagnostic else f"{self.status} {self.diagnostic}".strip()

    def is_about(self, recipient: str) -> bool:
        return recipient.lower() in self.recipients


def split_message(data: bytes) -> tuple[Message, str]:
    """Returns the head of a message and its body. Reads the first LONGEST bytes; raises nothing, whatever they are."""
    return _split(data[:LONGEST].decode("ascii", "replace").replace("\r\n", "\n"))


def addressees(head: Message) -> str:
    """Returns the values of all headers that may name the address a message was for, in one text."""
    return " ".join(value for name in ENVELOPE for value in head.get_all(name, []))


def is_reply(head: Message) -> bool:
    """Returns whether a message with this head is an automatic answer such as "I am on holiday", not a report.

    Automatic answers say so in Auto-Submitted (RFC 3834 §5).
    """
    is_automatic = head.get("Auto-Submitted", "").lower().startswith("auto-replied")
    return is_automatic and head.get_content_type() != "multipart/report"


def verdicts(head: Message, body: str) -> list[Verdict]:
    """Returns the verdicts of a delivery report, one for each recipient it names; [] for any other message.

    `head` and `body` are those that split_message() returns. Reads at most MOST_BLOCKS verdicts.
    """
    if head.get_content_type() != "multipart/report" or _parameter(head, "report-type").lower() != "delivery-status":
        return []
    for part, content in _parts(body, _parameter(head, "boundary")):
        if part.get_content_type() == "message/delivery-status":
            blocks = re.split(r"\n\s*\n", content[:LONGEST_HEAD], maxsplit=MOST_BLOCKS)
            return [verdict for block in blocks[:MOST_BLOCKS] if (verdict := _verdict(block))]
    return []


def verdicts_about(recipient: str, verdicts: list[Verdict]) -> list[Verdict]:
    """Returns the verdicts that name this recipient; all verdicts if none does, as when the mail was forwarded."""
    return [verdict for verdict in verdicts if verdict.is_about(recipient)] or verdicts


def _split(text: str) -> tuple[Message, str]:
    """Returns the parsed head and the body of a message or a part; the first empty line divides them."""
    head, _, body = text.partition("\n\n")
    return HeaderParser().parsestr(head[:LONGEST_HEAD]), body


def _parameter(head: Message, name: str) -> str:
    """Returns a parameter of the Content-Type header, or "" if the header lacks it."""
    pattern = rf';\s*{name}\s*=\s*(?:"([^"\n]*)"|([^\s";]+))'
    found = re.search(pattern, head.get("Content-Type", ""), re.IGNORECASE)
    return found[1] or found[2] or "" if found else ""


def _parts(body: str, boundary: str) -> Iterator[tuple[Message, str]]:
    """Yields the parsed head and the content of each part of a multipart body (RFC 2046 §5.1.1), at most MOST_PARTS."""
    if not boundary:
        return
    line = re.compile(rf"^--{re.escape(boundary)}(?:--)?[ \t\r]*(?:\n|\Z)", re.MULTILINE)
    yield from map(_split, line.split(body, maxsplit=MOST_PARTS)[1:])


def _verdict(block: str) -> Verdict | None:
    """Returns the verdict of one block of a report about one recipient.

    Returns None for the block about the whole message, and for any other that lacks an action or a status.
    """
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
    """Returns the value of a field without its type: "550 No such user" for "smtp; 550 No such user"."""
    return value.partition(";")[2].strip() or value
