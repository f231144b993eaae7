"""The header lines of our mail, folded by Python's email package where they need it: it parses every value."""

import re
from email import policy
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from functools import lru_cache
from typing import Any


class _OneLine(UnstructuredHeader):
    """A header that is written in one line, however long it is.

    Python would break a long URL into encoded words, which no mail program takes for a URL (RFC 2047 §5).
    """

    def fold(self: Any, *, policy: policy.EmailPolicy) -> str:  # mixed into a text, which is the value
        return f"{self.name}: {self}{policy.linesep}"


class _Headers(HeaderRegistry):
    """Python's registry of header classes, with a cache: making a class for each header took a quarter of composing."""

    def __init__(self) -> None:
        super().__init__()
        self.map_to_type("List-Unsubscribe", _OneLine)  # type: ignore[arg-type]  # it is mixed into BaseHeader later
        self.made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = super().__getitem__(name)
        return self.made[name]


HEADERS = _Headers()
WRITING = policy.SMTP.clone(header_factory=HEADERS)
LONGEST = 78  # characters of a line (RFC 5322 §2.1.1)

# Values that the email package writes as they are, if they fit into one line. "=?" begins an encoded word (RFC 2047).
WORDS = re.compile(r"(?!.*=\?)[!-~]+(?: [!-~]+)*", re.ASCII)
ADDRESS = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", re.ASCII)
MESSAGE_ID = re.compile(r"<[a-z0-9_]+\.[a-z0-9]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*>", re.ASCII)
PLAIN = {"Subject": WORDS, "To": ADDRESS, "Reply-To": ADDRESS, "Date": DATE, "Message-ID": MESSAGE_ID}


def line(name: str, value: str) -> bytes:
    """Returns the line, or the folded lines, of a header, as the email package writes it by the policy WRITING.

    Raises ValueError for a value of several lines, and whatever else the email package raises.
    """
    plain = PLAIN.get(name)
    if plain and len(name) + 2 + len(value) <= LONGEST and plain.fullmatch(value):
        return f"{name}: {value}\r\n".encode("ascii")
    return fold(name, value) if issubclass(HEADERS[name], _OneLine) else fold_once(name, value)


def fold(name: str, value: str) -> bytes:
    """Returns the lines of a header as the email package folds it. Raises whatever the email package raises."""
    return WRITING.fold_binary(*WRITING.header_store_parse(name, value))


fold_once = lru_cache(maxsize=200)(fold)  # most headers are the same in many mails


def is_plain(name: str) -> bool:
    """Returns whether the value of such a header is but words, and a mail may have several of them."""
    return issubclass(HEADERS[name], UnstructuredHeader) and HEADERS[name].max_count is None
