"""What is said of a list as a whole: what was guessed to read it, and what was left out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invites.batch import encodings
from kit.each_language import Words, lazily

NAMED = 10  # columns, sheets or lines that a sentence names
LONGEST = 40  # characters of each

Say = Callable[[Words], None]  # takes a sentence, which is in the language of whoever reads it


def nobody(_remark: Words) -> None:
    """Takes a remark that nobody is to hear."""


def encoding(used: str) -> Words:
    """Returns the remark that a file was not in UTF-8 but in this encoding, and what to do if the guess was wrong."""
    return lazily(
        lambda: (
            _(
                "The file was in %(encoding)s. We read it that way; check that the names look right. If not, choose "
                "the encoding yourself when you check the list again."
            )
            % {"encoding": encodings.name(used)}
        )
    )


def sheets(read: str, others: Sequence[str], hidden: Sequence[str]) -> Iterator[Words]:
    """Yields the remarks on a workbook of several sheets: which was read, and which were not."""
    if others or hidden:
        yield lazily(lambda: _("Read from the sheet “%(sheet)s”.") % {"sheet": read})
    if others:
        yield lazily(lambda: _("Sheets that were not read: %(sheets)s.") % {"sheets": listed(others)})
    if hidden:
        yield lazily(lambda: _("Hidden sheets, which are not read: %(sheets)s.") % {"sheets": listed(hidden)})


def hidden_rows() -> Words:
    return gettext_lazy("Rows that are hidden or filtered out were read, too.")


def merged_cells() -> Words:
    return gettext_lazy(
        "Merged cells hold their text in their first row only. In the rows below they were read as empty."
    )


def guessed(heading: str) -> Words:
    """Returns the remark that no heading names the addresses, and under which they were found."""
    said = {"heading": heading or "–"}
    return lazily(lambda: _("No heading says “email”: the addresses were found under “%(heading)s”.") % said)


def titles(texts: Sequence[str]) -> Iterator[Words]:
    """Yields the remark on what stands above the headings of a list and is no person."""
    if texts:
        yield lazily(lambda: _("Above the headings, this was not read: “%(text)s”.") % {"text": listed(texts)})


def unread(columns: Mapping[int, str]) -> Iterator[Words]:
    """Yields the remark on columns that are not read: their headings by their index, "" for an empty one."""
    if columns:
        named = [columns[index] or column_letter(index) for index in sorted(columns)]
        yield lazily(lambda: _("Columns we don’t use: %(columns)s.") % {"columns": listed(named)})


@dataclass
class Noted:
    """The lines of which one thing is to be said: how many, and the first of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)  # their numbers, with what was not read in them
    last: int | None = None

    def add(self, line: int, *unread: str) -> None:
        """Counts a line, unless another person in it was counted just before. `unread` are cells."""
        if line == self.last:
            return
        self.last = line
        self.count += 1
        if len(self.first) <= NAMED:
            said = cut(", ".join(filter(None, unread)), LONGEST - 10)
            self.first.append(f"{line} ({said})" if said else str(line))

    @property
    def said(self) -> dict[str, str | int]:
        """What a sentence on these lines says of them."""
        return {"count": self.count, "lines": listed(self.first)}


def left_out(lines: Noted) -> Iterator[Words]:
    """Yields the remark on lines in which something beside the address was not read."""
    if lines.count:
        yield lazily(
            lambda: (
                ngettext(
                    "In %(count)s line something beside the address was not read: line %(lines)s.",
                    "In %(count)s lines something beside the address was not read: lines %(lines)s.",
                    lines.count,
                )
                % lines.said
            )
        )


def no_names(lines: Noted) -> Iterator[Words]:
    """Yields the remark on lines in which not all that stands in place of a name was taken for one."""
    if lines.count:
        yield lazily(
            lambda: (
                ngettext(
                    "In %(count)s line the name was left out or cleaned, because it does not look like a name: line "
                    "%(lines)s.",
                    "In %(count)s lines names were left out or cleaned, because they do not look like names: lines "
                    "%(lines)s.",
                    lines.count,
                )
                % lines.said
            )
        )


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
    said = ", ".join(cut(name, LONGEST) for name in names[:NAMED])
    return f"{said}, …" if len(names) > NAMED else said


def cut(name: str, longest: int) -> str:
    """Returns a name of at most so many characters, and "…" in place of the rest."""
    return name if len(name) <= longest else f"{name[:longest]}…"
