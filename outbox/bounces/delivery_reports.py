"""The fields of a delivery report (RFC 3464), and what they say of each recipient.

Strangers write them, so nothing in them is believed to be well-formed.
"""

import re
from dataclasses import dataclass

from outbox.mail.replies import STATUS

LONGEST = 64 * 1024  # characters that are read of all fields
MOST_BLOCKS = 100  # our mail has one recipient, who may forward it to a few others

FOLD = re.compile(r"\n[ \t]+")
FIELD = re.compile(r"^([A-Za-z][\w-]{1,40})[ \t]*:[ \t]*(.*)$", re.MULTILINE)
BLANK = re.compile(r"\n[ \t]*\n")

FAILED = ("fail", "undeliver")  # beginnings: servers also write "failure", and Postfix "undeliverable" in a test
WAITING = ("delayed", "delivered", "deliverable", "relayed", "expanded")  # RFC 3464 §2.3.3, and Postfix's tests


@dataclass(frozen=True)
class Verdict:
    """The fate of a mail for one recipient (RFC 3464 §2.3).

    `is_final` is True if the mail will never arrive, whatever the class of the status: servers give up after 4.4.7,
    too. `recipients` are in lower case; `status` is like "5.1.1" or "", `diagnostic` like "550 5.1.1 No such user".
    """

    is_final: bool
    status: str
    diagnostic: str = ""
    recipients: frozenset[str] = frozenset()

    @property
    def answer(self) -> str:
        """The words of the server, with the status in front unless they contain it: "550 5.1.1 No such user"."""
        return self.diagnostic if self.status in self.diagnostic else f"{self.status} {self.diagnostic}".strip()

    def is_about(self, recipient: str) -> bool:
        return recipient.lower() in self.recipients


def verdicts(text: str) -> list[Verdict]:
    """Returns the verdicts in the text of a delivery report, one for each recipient; at most MOST_BLOCKS.

    Passes over blocks of fields without a recipient, such as the one about the whole message, and those that neither
    name an action nor a status.
    """
    blocks = BLANK.split(text[:LONGEST], maxsplit=MOST_BLOCKS)[:MOST_BLOCKS]
    return [verdict for block in blocks if (verdict := _verdict(_fields(block)))]


def verdicts_about(recipient: str, verdicts: list[Verdict]) -> list[Verdict]:
    """Returns the verdicts that name this recipient; all verdicts if none does, as when the mail was forwarded."""
    return [verdict for verdict in verdicts if verdict.is_about(recipient)] or verdicts


def _fields(block: str) -> dict[str, str]:
    """Returns the fields of a block by their names in lower case; of a repeated one the first."""
    found = FIELD.findall(FOLD.sub(" ", block))
    return {name.lower(): " ".join(value.split()) for name, value in reversed(found)}


def _verdict(fields: dict[str, str]) -> Verdict | None:
    named = [fields[name] for name in ("final-recipient", "original-recipient") if fields.get(name)]
    status = STATUS.match(fields.get("status", ""))
    is_final = _is_final(fields.get("action", "").lower(), status[0] if status else "")
    if not named or is_final is None:
        return None
    recipients = frozenset(_untyped(name).strip("<>").lower() for name in named)
    return Verdict(is_final, status[0] if status else "", _untyped(fields.get("diagnostic-code", "")), recipients)


def _is_final(action: str, status: str) -> bool | None:
    """Returns whether a mail will never arrive; None if neither the action nor the status says so.

    The action decides, and only without a known one the class of the status.
    """
    if action.startswith(FAILED):
        return True
    if action.startswith(WAITING):
        return False
    return status.startswith("5.") if status else None


def _untyped(value: str) -> str:
    """Returns the value of a field without its type: "550 No such user" for "smtp; 550 No such user"."""
    return value.partition(";")[2].strip() or value
