"""Rows of a list, and how lines of text become rows: their delimiters and quotation marks."""

import csv
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from django.utils.translation import gettext_lazy as _

from invites.batch.cells import is_address
from invites.batch.encodings import LONGEST
from kit.each_language import Words

JOINED = 5  # further lines that one quoted field may continue on
SHOWN = 200  # characters of a line that could not be read
KEPT = 500  # characters of one of its cells, more than any cell may have
DELIMITERS = ",;\t|"
QUOTED = re.compile(r'"[^"]*"?')
BEHIND = re.compile(r"> *+([,;\t|])")  # what mail programs put between people stands behind a bracket
# The first line by which Excel is told the delimiter.
SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
EDGES = "\ufeff \t\r\n"  # around a line or a cell


@dataclass(frozen=True)
class Row:
    """One line of a list, with its cells; or the `problem` that keeps it from being read.

    With a problem it has the cells as far as they can be told apart, to be mended.
    """

    number: int  # in its file, from 1
    text: str  # to be shown
    cells: list[str]
    problem: Words = ""
    delimiter: str = ""  # that stood between the cells of a line; a sheet has none


class Delimiter:
    """The delimiter of a list: the one that its first line fixes, or else whichever suits a line best."""

    fixed = ""

    def of(self, text: str) -> str:
        return self.fixed or best(text)

    def split(self, text: str) -> list[str]:
        return split(text, self.of(text))

    def goes_on(self, text: str) -> bool:
        """Returns whether a quoted field is open at the end of the text, so that it may continue on the next line."""
        if '"' not in text:
            return False
        try:
            return len(list(csv.reader([text.rstrip("\r\n") + "\n", "\n"], delimiter=self.of(text)))) == 1
        except csv.Error:
            return False

    def fix_by(self, text: str) -> None:
        """Fixes the delimiter by a first line without an address, which are headings: the most frequent one in it."""
        counted = {mark: unquoted(text).count(mark) for mark in DELIMITERS}
        if "@" not in text and any(counted.values()):
            self.fixed = max(counted, key=lambda mark: counted[mark])


def of_lines(lines: Iterable[str], *, is_file: bool = False) -> Iterator[Row]:
    """Yields a Row for each line that is not empty. A first line "sep=;" fixes the delimiter and is no row.

    `is_file` words what is wrong for lines of a file; others were typed or pasted.
    """
    delimiter, is_first = Delimiter(), True
    for number, text in joined(numbered(lines), delimiter):
        problem = unreadable(text, delimiter, is_file=is_file)
        if is_first and (named := SEPARATOR.fullmatch(text.strip("\ufeff\r\n"))):
            delimiter.fixed, is_first = named[1], False
            continue
        if is_first and not problem:
            delimiter.fix_by(text)
        is_first = False
        mark = delimiter.of(text)
        yield Row(number, shown(text), [] if len(text) > LONGEST else split(text, mark), problem, mark)


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yields the lines in which something can be seen, numbered from 1 with the empty ones counted."""
    return ((number, text) for number, text in enumerate(lines, 1) if is_visible(text))


def is_visible(text: str) -> bool:
    """Returns whether the text holds more than white space and invisible characters, such as a zero-width space."""
    return any(not c.isspace() and unicodedata.category(c) != "Cf" for c in text)


def joined(lines: Iterator[tuple[int, str]], delimiter: Delimiter) -> Iterator[tuple[int, str]]:
    """Yields numbered lines, those that one quoted field continues on joined under the number of their first.

    A field that is not closed within JOINED further lines takes none of them.
    """
    ahead: deque[tuple[int, str]] = deque()
    while first := ahead.popleft() if ahead else next(lines, None):
        number, text = first
        taken: list[tuple[int, str]] = []
        while (
            delimiter.goes_on(text)
            and len(taken) < JOINED
            and (more := ahead.popleft() if ahead else next(lines, None))
        ):
            taken.append(more)
            text += more[1]
        if delimiter.goes_on(text):
            ahead.extendleft(reversed(taken))
            text = first[1]
        yield number, text


def unreadable(text: str, delimiter: Delimiter, *, is_file: bool) -> Words:
    """Returns the reason why a line can't be read, in the reader's language, or ""."""
    if len(text) > LONGEST:
        return _("The line is longer than 10,000 characters")
    if any(c in "\0\ufffd" or "\ud800" <= c <= "\udfff" for c in text):
        if is_file:
            return _("The line is not UTF-8 text. Save the file as “CSV UTF-8”")
        return _("There is an unreadable character (�) in this line. Type the line again")
    if delimiter.goes_on(text):
        return _("A quotation mark is not closed")
    return ""


def unquoted(text: str) -> str:
    return QUOTED.sub("", text) if '"' in text else text


def best(text: str) -> str:
    """Returns the delimiter of a line that stands for itself; "," if it has none.

    Of several outside quotation marks it is the first between whose cells each has an address, as mail programs copy
    them ("Lovelace, Ada <a@b.example>; …"); else the first that stands behind a bracket; else the first that leaves an
    address alone in a cell; else the first.
    """
    bare = unquoted(text)
    marks = sorted((mark for mark in DELIMITERS if mark in bare), key=bare.index)
    if len(marks) < 2:
        return marks[0] if marks else ","
    parts = {mark: list(filter(None, split(text, mark))) for mark in marks}
    together = (mark for mark in marks if all("@" in cell for cell in parts[mark]))
    alone = (mark for mark in marks if any(map(is_address, parts[mark])))
    behind = BEHIND.findall(bare)
    return next(together, None) or next(iter(behind), None) or next(alone, None) or marks[0]


def split(text: str, delimiter: str) -> list[str]:
    """Returns the cells of a line, without white space around them."""
    text = set_apart(text, delimiter) if '"' in text else text
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        rows = [text.split(delimiter)]
    return [stripped(cell) for row in rows for cell in row]


def set_apart(text: str, delimiter: str) -> str:
    """Returns a line with a space between each quoted cell and what is glued to it: the csv module would join them.

    So '"Ada"ada@example.com' does not become "Adaada@example.com", the address of a stranger.
    """
    mark = re.escape(delimiter)
    cells = re.compile(rf'(?:^|(?<={mark}))"(?:[^"]++|"")*+"(?P<glued>(?<!\s")(?=[^\s{mark}]))?')
    return cells.sub(lambda cell: cell[0] if cell["glued"] is None else f"{cell[0]} ", text)


def stripped(cell: str) -> str:
    """Returns a cell without white space around it, and "" if nothing in it can be seen."""
    return cell.strip(EDGES) if is_visible(cell) else ""


def join(cells: Iterable[str]) -> str:
    """Returns cells as one line that split() takes apart again at ","."""
    written = StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()


def shown(text: str) -> str:
    """Returns the first SHOWN characters of a line, and "…" if more follow.

    White space is a space each, and any other character that can't be printed is "�".
    """
    whole = text[: SHOWN + 1].strip(EDGES)
    cut = "".join(_printable(character) for character in whole[:SHOWN])
    return f"{cut}…" if len(whole) > SHOWN else cut


def _printable(character: str) -> str:
    return character if character.isprintable() else " " if character.isspace() else "\ufffd"


def kept(cell: str) -> str:
    """Returns a cell of a line that can't be read, on one line, as it is stored to be mended: KEPT characters at most.

    Control characters and what no text can hold are "�": the database takes none of them. Others stay, also invisible
    ones, as a mended line must read as it came.
    """
    whole = " ".join(cell.split())[: KEPT + 1]
    cut = "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in whole[:KEPT])
    return f"{cut}…" if len(whole) > KEPT else cut
