"""Reads lists of people to be invited, as they come from files and forms: usually one person on each line."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO, TextIOWrapper
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from invites.batch.columns import COLUMNS, email_of, fields, header, is_bad_lines
from invites.models import Entry
from kit import addresses

LONGEST = 10_000  # characters of a line; an address with a name and a note has hundreds
JOINED = 5  # further lines that one quoted field may continue on
LONGEST_ADDRESS = 400  # characters, with a name; a longer cell is not searched for an address
SHOWN = 200  # characters of a line that could not be read
DELIMITERS = ",;\t"
QUOTED = re.compile(r'"[^"]*"?')
ADDRESS = re.compile(r".*[^\s@]@[^\s@]+\.[^\s@]+", re.DOTALL)
NAMED = re.compile(r"(?P<name>.*)<(?P<email>[^<>]*)>", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One person that a line of a list names, as `entry`; or the `problem` that keeps the line from being read."""

    number: int  # in its file, from 1
    text: str
    entry: Entry | None = None
    problem: str = ""
    meant: str = ""  # the address that was probably meant, if this one looks like a typo


def open_text(file: BinaryIO) -> Iterator[str]:
    """Yields the lines of a UTF-8 file, whatever their line ends. At the end the file is still open.

    Bytes that are not UTF-8 become surrogates, by which read() finds and names their line. A line of more than LONGEST
    characters is cut to one more than that, by which read() knows that it was too long.
    """
    text = TextIOWrapper(file, "utf-8-sig", errors="surrogateescape")
    while line := text.readline(LONGEST + 1):
        rest = line
        while len(rest) > LONGEST and not rest.endswith("\n"):
            rest = text.readline(LONGEST + 1)
        yield line
    text.detach()


def read(lines: Iterable[str], groups: Mapping[str, int] | None = None) -> Iterator[Line]:
    """Yields a Line for each person that the lines name, and for each line that can't be read; skips empty lines.

    `groups` maps the names of groups that may be named to their ids; None forbids to name any. The columns are in the
    order of COLUMNS, unless the first line names them. Of a file that begins like the file of bad lines that we give
    out, the second column is read. Raises nothing: what is wrong is the `problem` of a Line.
    """
    columns, fixed, first, mended = list(COLUMNS), "", True, False
    for number, text in _joined(_numbered(lines)):
        if problem := _unreadable(text):
            yield Line(number, _shown(text), problem=problem)
            first = False
            continue
        delimiter = fixed or _delimiter(text)
        cells = _split(text, delimiter)
        if first and is_bad_lines(cells):
            mended = True
        elif mended:  # the second cell is the line as it was, or as it has been mended
            line = cells[1] if len(cells) > 1 else ""
            yield from _people(number, line, _split(line, _delimiter(line)), columns, groups)
        elif first and (named := header(cells)):
            columns, fixed = named, delimiter if len(cells) > 1 else ""
        elif any(cells):
            yield from _people(number, text, cells, columns, groups)
        first = False


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yields the lines that hold more than white space, numbered from 1 with the empty ones counted."""
    return ((number, text) for number, text in enumerate(lines, 1) if text.strip("\ufeff \t\r\n"))


def _joined(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yields numbered lines, those that one quoted field continues on joined under the number of their first.

    A field that is not closed within JOINED further lines takes none of them.
    """
    ahead: deque[tuple[int, str]] = deque()
    while first := ahead.popleft() if ahead else next(lines, None):
        number, text = first
        taken: list[tuple[int, str]] = []
        while _goes_on(text) and len(taken) < JOINED and (more := ahead.popleft() if ahead else next(lines, None)):
            taken.append(more)
            text += more[1]
        if _goes_on(text):
            ahead.extendleft(reversed(taken))
            text = first[1]
        yield number, text


def _goes_on(text: str) -> bool:
    """Returns whether a quoted field is open at the end of the text, so that it may continue on the next line."""
    if '"' not in text:
        return False
    try:
        return len(list(csv.reader([text.rstrip("\r\n") + "\n", "\n"], delimiter=_delimiter(text)))) == 1
    except csv.Error:
        return False


def _unreadable(text: str) -> str:
    """Returns the reason why a line can't be read, in the reader's language, or ""."""
    if len(text) > LONGEST:
        return _("The line is longer than 10,000 characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return _("The line is not UTF-8 text. Save the file as “CSV UTF-8”")
    if _goes_on(text):
        return _("A quotation mark is not closed")
    return ""


def _delimiter(text: str) -> str:
    """Returns the first character of DELIMITERS that stands outside quotation marks, or "," if there is none."""
    return next((character for character in QUOTED.sub("", text) if character in DELIMITERS), ",")


def _split(text: str, delimiter: str) -> list[str]:
    """Returns the cells of a line, without white space around them."""
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        rows = [text.split(delimiter)]
    return [cell.strip("\ufeff \t\r\n") for row in rows for cell in row]


def _is_address(cell: str) -> bool:
    return len(cell) <= LONGEST_ADDRESS and ADDRESS.fullmatch(cell) is not None


def _people(
    number: int, text: str, cells: list[str], columns: list[str], groups: Mapping[str, int] | None
) -> Iterator[Line]:
    """Yields a Line for each person that one line names, or for what is wrong with it; `groups` is as for read().

    Nearly always that is one person, but mail programs copy many addresses as one line.
    """
    shown = _shown(text)
    if columns == list(COLUMNS) and len(cells) > 1 and all(map(_is_address, filter(None, cells))):
        rows = [{"email": cell} for cell in cells if cell]
    else:
        rows = [dict(zip(columns, cells, strict=False))]
    for row in rows:
        try:
            entry = _entry(row, groups)
        except ValidationError as error:
            yield Line(number, shown, problem=str(error.messages[0]))
        else:
            yield Line(number, shown, entry, meant=_meant(entry.email))


def _entry(row: dict[str, str], groups: Mapping[str, int] | None) -> Entry:
    """Returns the person that `row` names; it maps column to text, and the address may be "Ada <ada@example.com>".

    `groups` is as for read(). Raises ValidationError, in words for the author of the list.
    """
    typed, name = row.get("email", ""), row.get("name", "")
    if match := NAMED.fullmatch(typed):
        typed, name = match["email"], name or match["name"].strip(" \"'")
    return Entry(email_of(typed), **fields(row | {"name": name}, groups))


def _meant(email: str) -> str:
    """Returns the address that was probably meant, or "" if this one does not look like a typo."""
    local, _at, domain = email.rpartition("@")
    close = _domain_meant(domain)
    return f"{local}@{close}" if close else ""


@lru_cache(4096)
def _domain_meant(domain: str) -> str:
    """Returns the domain that was probably meant, or "".

    Cached, because comparing domains takes long and a list has few different ones.
    """
    return addresses.suggestion(f"a@{domain}").rpartition("@")[2]


def _shown(text: str) -> str:
    """Returns the first SHOWN characters of a line, with "�" for each that can't be printed, and "…" if more follow."""
    whole = text[: SHOWN + 1].strip("\ufeff \t\r\n")
    cut = "".join(character if character.isprintable() else "\ufffd" for character in whole[:SHOWN])
    return f"{cut}…" if len(whole) > SHOWN else cut
