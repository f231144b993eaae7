"""Splitting a message that a stranger wrote into its head and its parts, in little time and memory, whatever it is.

Of the standard parser, only the code that splits a head into its headers is used. The rest of it takes seconds for a
megabyte of nested parts made up on purpose, takes minutes for parameters or for the characters of a charset that the
sender has chosen, or fails.
"""

import binascii
import html
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from typing import NamedTuple

LONGEST = 1024 * 1024  # bytes that are read of one message; the returned mail comes last in it, and may be cut
LONGEST_HEAD = 64 * 1024  # characters that are read of the head
LONGEST_PART_HEAD = 2 * 1024
LONGEST_PART = 32 * 1024  # characters that are read of one part
MOST_PARTS = 20  # a report has three, and programs that it passes add some

# The line before a part, wherever it is nested. Which boundary a head has announced does not matter: some servers
# announce none, or another one, and gateways change heads.
DIVIDER = re.compile(
    r"^[ \t]?(--[^\n]{1,200})\n(?=(?:content-[a-z-]{2,30}|mime-version)[ \t]*:)", re.MULTILINE | re.IGNORECASE
)
KIND = re.compile(r"^content-type[ \t]*:\s*([a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60})", re.MULTILINE | re.IGNORECASE)
ENCODING = re.compile(r"^content-transfer-encoding[ \t]*:\s*([a-z0-9-]{1,30})", re.MULTILINE | re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
HIDDEN = re.compile(r"</?(?:style|script|head)\b[^<>]*>", re.IGNORECASE)  # begins or ends what is not shown
TAG = re.compile(r"<[^<>]*>")


class Part(NamedTuple):
    """One part of a message: its content type in lower case, such as "text/plain", and its decoded text."""

    kind: str
    text: str


def split_message(data: bytes) -> tuple[Message, str]:
    """Returns the head of a message and its body. Reads the first LONGEST bytes; raises nothing, whatever they are.

    Bytes are read as UTF-8. Charsets that a message names are not looked up: the words of servers are ASCII.
    """
    text = data[:LONGEST].decode("utf-8", "replace").replace("\r\n", "\n")
    head, _, body = text.partition("\n\n")
    return HeaderParser().parsestr(head[:LONGEST_HEAD]), body


def parts(head: Message, body: str) -> Iterator[Part]:
    """Yields the text before the first part of a body, then its parts, however they are nested; at most MOST_PARTS.

    A message without parts is yielded as one part.
    """
    first, *rest = DIVIDER.split(body, maxsplit=MOST_PARTS)
    top = f"Content-Type: {head.get('Content-Type', '')}\n"
    encoding = f"Content-Transfer-Encoding: {head.get('Content-Transfer-Encoding', '')}\n"
    yield _part(top + encoding if not rest else "", first)
    for divider, part in zip(rest[::2], rest[1::2], strict=True):
        part_head, _, content = part.partition("\n\n")
        yield _part(part_head[:LONGEST_PART_HEAD], content.partition(f"\n{divider}")[0])


def text_of(page: str) -> str:
    """Returns the words of an HTML page."""
    return html.unescape(TAG.sub(" ", " ".join(HIDDEN.split(page)[::2])))


def _part(head: str, content: str) -> Part:
    kind, encoding = KIND.search(head), ENCODING.search(head)
    kind_name = kind[1].lower() if kind else "text/plain"
    return Part(kind_name, _decode(content[:LONGEST_PART], encoding[1].lower() if encoding else ""))


def _decode(content: str, encoding: str) -> str:
    """Returns a content without its transfer encoding (RFC 2045 §6), or as it is if it is not in that encoding."""
    if encoding == "quoted-printable":
        return quopri.decodestring(content.encode()).decode("utf-8", "replace")
    if encoding == "base64" and (found := BASE64.match(content)):
        digits = "".join(found[0].split()).rstrip("=")
        whole = digits[: len(digits) - (len(digits) % 4 == 1)]
        return binascii.a2b_base64(whole + "=" * (-len(whole) % 4)).decode("utf-8", "replace")
    return content
