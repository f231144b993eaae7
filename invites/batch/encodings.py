"""Encodings of text files: a guess at which one a file is in, and its lines as text."""

import re
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO, TextIO

from django.utils.translation import gettext_lazy as _

SAMPLE = 1024 * 1024  # bytes of a file by which its encoding is guessed
LONGEST = 10_000  # characters of a line; an address with a name and a note has hundreds

# Python's names of the encodings that can be chosen, and what people call them.
NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": _("Windows-1252 (Western)"),
    "cp1251": _("Windows-1251 (Cyrillic)"),
    "cp1250": _("Windows-1250 (Central European)"),
    "cp1253": _("Windows-1253 (Greek)"),
    "cp1254": _("Windows-1254 (Turkish)"),
    "koi8-r": "KOI8-R",
    "cp866": "CP866 (DOS)",
    "mac-roman": "Mac Roman",
}
UTF8, UTF16 = "utf-8-sig", "utf-16"
WITHOUT_MARK = ("utf-16-le", "utf-16-be")  # of UTF-16 without a byte order mark

# In Windows-1251 whole words are bytes above 127; in Windows-1252 accented letters stand among those of ASCII.
WORD = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]{2,}(?![A-Za-z\x80-\xff])")
# In Windows-1250 some letters have the bytes of signs in Windows-1252, like "£" and "³": in a word, or at its edge.
CENTRAL = re.compile(
    rb"[A-Za-z\x8a\x8e\x9a\x9e\xc0-\xff][\x8d\x8f\x9d\xa3\xa5\xaf\xb3\xb9\xbc\xbe\xbf](?=[A-Za-z\xc0-\xff])"
    rb"|(?<![A-Za-z\x80-\xff])[\x8d\x8f\xa3\xaf\xbc](?=[a-z\xc0-\xff])"
    rb"|[a-z\xc0-\xff]{2}[\xb3\xb9\xbf](?![A-Za-z\x80-\xff])"
)
ACCENT = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")


def guess(sample: bytes) -> str:
    """Returns Python's name of the encoding that the beginning of a file is probably in.

    It is UTF-8 unless a byte order mark or many NULs tell of UTF-16, or most lines with other characters than ASCII are
    no UTF-8. Then it is Windows-1251, Windows-1250 or Windows-1252.
    """
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return UTF16
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > max(len(sample) / 10, 10 * min(even, odd)):
        return WITHOUT_MARK[even > odd]
    telling = [line for line in sample.splitlines() if not line.isascii()]
    if sum(map(is_utf8, telling)) * 2 >= len(telling):
        return UTF8
    if len(WORD.findall(sample)) > len(ACCENT.findall(sample)):
        return "cp1251"
    return "cp1250" if CENTRAL.search(sample) else "cp1252"


def is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def name(encoding: str) -> str:
    """Returns what people call an encoding that guess() returned, or that is one of NAMES."""
    return str(NAMES.get(encoding) or NAMES[UTF16])


def decode(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Yields the lines of a file, whatever their line ends, as lines() does. At the end the file is still open.

    Bytes that the encoding does not know become surrogates or U+FFFD, by which rows.of_lines() finds and names their
    line.
    """
    errors = "replace" if encoding.startswith(UTF16) else "surrogateescape"
    text = TextIOWrapper(file, encoding, errors=errors)
    yield from lines(text)
    text.detach()


def lines(text: TextIO) -> Iterator[str]:
    """Yields the lines of a text. One of more than LONGEST characters is cut to one more than that.

    By that length rows.of_lines() knows that it was too long.
    """
    while line := text.readline(LONGEST + 1):
        rest = line
        while len(rest) > LONGEST and not rest.endswith("\n"):
            rest = text.readline(LONGEST + 1)
        yield line
