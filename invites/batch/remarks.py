"""What is said of a list as a whole: what was guessed to read it, and what was left out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NAMED = 10  # columns, sheets or lines that a sentence names

Say = Callable[[str], None]  # takes a sentence in the reader's language


def nobody(_remark: str) -> None:
    """Takes a remark that nobody is to hear."""


def encoding(name: str) -> str:
    """Returns the remark that a file was not in UTF-8, and what to do if the guess was wrong."""
    return _(
        "The file was in %(encoding)s. We read it that way; check that the names look right. If not, choose the "
        "encoding yourself when you check the list again."
    ) % {"encoding": name}


def sheets(read: str, others: Sequence[str], hidden: Sequence[str]) -> Iterator[str]:
    """Yields the remarks on a workbook of several sheets: which was read, and which were not."""
    if others or hidden:
        yield _("Read from the sheet “%(sheet)s”.") % {"sheet": read}
    if others:
        yield _("Sheets that were not read: %(sheets)s.") % {"sheets": listed(others)}
    if hidden:
        yield _("Hidden sheets, which are not read: %(sheets)s.") % {"sheets": listed(hidden)}


def hidden_rows() -> str:
    return _("Rows that are hidden or filtered out were read, too.")


def guessed(heading: str) -> str:
    """Returns the remark that no heading names the addresses, and under which they were found."""
    return _("No heading says “email”: the addresses were found under “%(heading)s”.") % {"heading": heading or "–"}


def titles(texts: Sequence[str]) -> Iterator[str]:
    """Yields the remark on what stands above the headings of a list and is no person."""
    if texts:
        yield _("Above the headings, this was not read: %(text)s.") % {"text": listed(texts)}


def unread(columns: Mapping[int, str]) -> Iterator[str]:
    """Yields the remark on columns that are not read: their headings by their index, "" for an empty one."""
    if columns:
        named = [columns[index] or column_letter(index) for index in sorted(columns)]
        yield _("Columns we don’t use: %(columns)s.") % {"columns": listed(named)}


@dataclass
class Noted:
    """The lines of which one thing is to be said: how many, and the first of them."""

    count: int = 0
    first: list[int] = field(default_factory=list)
    last: int | None = None

    def add(self, line: int) -> None:
        if line == self.last:  # another person in it
            return
        self.last = line
        self.count += 1
        if len(self.first) <= NAMED:
            self.first.append(line)


def left_out(lines: Noted) -> Iterator[str]:
    """Yields the remark on lines in which something beside the address was not read."""
    if lines.count:
        said = ngettext(
            "In %(count)s line something beside the address was not read: line %(lines)s.",
            "In %(count)s lines something beside the address was not read: lines %(lines)s.",
            lines.count,
        )
        yield said % {"count": lines.count, "lines": listed(list(map(str, lines.first)))}


def no_names(lines: Noted) -> Iterator[str]:
    """Yields the remark on lines in which not all that stands in place of a name was taken for one."""
    if lines.count:
        said = ngettext(
            "In %(count)s line the name was left out or cleaned, because it does not look like a name: line %(lines)s.",
            "In %(count)s lines names were left out or cleaned, because they do not look like names: lines %(lines)s.",
            lines.count,
        )
        yield said % {"count": lines.count, "lines": listed(list(map(str, lines.first)))}


def column_letter(index: int) -> str:
    """Returns what spreadsheets call a column, by its index from 0: A, B, …, Z, AA."""
    letters = ""
    number = index + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def listed(names: Sequence[str]) -> str:
    """Returns the first NAMED of these names as text, and "…" if there are more."""
    said = ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in names[:NAMED])
    return f"{said}, …" if len(names) > NAMED else said
