"""Reads lists of people to be invited, as they come from files and forms: usually one person on each line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

from django.core.exceptions import ValidationError

from invites.batch import headings, remarks, rows
from invites.batch.cells import has_address, is_name, people
from invites.batch.columns import COLUMNS, email_of, fields
from invites.batch.headings import Headings
from invites.batch.remarks import LeftOut, Say
from invites.batch.rows import Row
from invites.models import Entry
from kit import addresses


@dataclass(frozen=True)
class Line:
    """One person that a line of a list names, as `entry`; or the `problem` that keeps the line from being read."""

    number: int  # in its file, from 1
    text: str
    entry: Entry | None = None
    problem: str = ""
    meant: str = ""  # the address that was probably meant, if this one looks like a typo


def read(lines: Iterable[Row], groups: Mapping[str, int] | None = None, say: Say = remarks.nobody) -> Iterator[Line]:
    """Yields a Line for each person that the rows name, and for each row that can't be read.

    `groups` maps the names of groups that may be named to their ids; None forbids to name any. `say` is called with
    sentences, in the reader's language, on what was guessed and, at the end, on what was left out. Of a file that
    begins like the file of bad lines that we give out, the second column is read. What is wrong is the `problem` of a
    Line; but a file that turns out to be damaged raises ValidationError, as files.read_rows() says.
    """
    lines = iter(lines)
    sample = list(islice(lines, headings.SAMPLE))
    if sample and headings.is_bad_lines(sample[0].cells):
        yield from _People(None, groups).read(map(_mended, chain(sample[1:], lines)))
        return
    found = headings.find(sample)
    if found and found.is_guess:
        say(remarks.guessed(found.said[found.columns.index("email")]))
    reader = _People(found, groups)
    titles = sample[: found.place] if found else []
    yield from reader.read(chain(titles, sample[found.place + 1 if found else 0 :], lines))
    for remark in (*remarks.unread(reader.unread), *remarks.left_out(reader.left_out)):
        say(remark)


def _mended(row: Row) -> Row:
    """Returns the line that the second cell of a row in the file of bad lines holds, as it was or has been mended."""
    text = row.cells[1] if len(row.cells) > 1 else ""
    return Row(row.number, rows.shown(text), rows.split(text, rows.best(text)), row.problem)


class _People:
    """Finds the people in the rows of one list, and remembers what it had to leave out."""

    def __init__(self, found: Headings | None, groups: Mapping[str, int] | None) -> None:
        self.headings, self.groups = found, groups
        self.unread: dict[int, str] = {}  # unknown headings above cells with content, by their index
        self.left_out = LeftOut()

    def read(self, lines: Iterable[Row]) -> Iterator[Line]:
        """Yields a Line for each person that these rows name, or for what is wrong with a row."""
        for row in lines:
            if row.problem:
                yield Line(row.number, row.text, problem=row.problem)
            elif any(row.cells):
                yield from self._people(row)

    def _people(self, row: Row) -> Iterator[Line]:
        """Yields a Line for each person in a row. Nearly always that is one, but people copy many into one line."""
        said_of_each, is_whole = self._by_headings(row, self.headings) if self.headings else _by_itself(row.cells)
        for said in said_of_each:
            found, words_left = people(said.get("email", ""))
            is_whole = is_whole and not words_left
            for typed, name in found:
                yield self._line(row, {**said, "email": typed, "name": said.get("name") or name})
        if not is_whole:
            self.left_out.add(row.number)

    def _line(self, row: Row, said: dict[str, str]) -> Line:
        try:
            entry = Entry(email_of(said["email"]), **fields(said, self.groups))
        except ValidationError as error:
            return Line(row.number, row.text, problem=str(error.messages[0]))
        return Line(row.number, row.text, entry, meant=_meant(entry.email))

    def _by_headings(self, row: Row, found: Headings) -> tuple[list[dict[str, str]], bool]:
        """Returns what a row says of its person, by column, and whether all its cells were read.

        Unknown columns do not count as unread here: their headings go into `unread`.
        """
        said, is_whole = dict[str, str](), True
        for index, cell in enumerate(row.cells):
            column = found.columns[index] if index < len(found.columns) else None
            if not cell:
                continue
            if column == "":
                self.unread[index] = found.said[index]
            elif column is None or column in said:  # more cells than headings, or a second address
                is_whole = False
            else:
                said[column] = cell if column == "email" else one_line(cell)
        return [{**said, "name": _full_name(said)}], is_whole


def _by_itself(cells: list[str]) -> tuple[list[dict[str, str]], bool]:
    """Returns what a row without headings says of each person, by column, and whether all its cells were read.

    If all cells are addresses, each is a person. Else the cells are in the order of COLUMNS; or, if the first has no
    address, the first that has one is read, and what stands before it if that looks like a name.
    """
    filled = [cell for cell in cells if cell]
    if len(filled) > 1 and all(map(has_address, filled)):
        return [{"email": cell} for cell in filled], True
    place = next((index for index, cell in enumerate(cells) if has_address(cell)), 0)
    if place:
        before = [cell for cell in cells[:place] if cell]
        name = " ".join(before) if is_name_of_one(before) else ""
        return [{"email": cells[place], "name": name}], len(filled) == 1 + (len(before) if name else 0)
    said = {column: one_line(cell) for column, cell in zip(COLUMNS, cells, strict=False)}
    return [said | {"email": cells[0]}], not any(cells[len(COLUMNS) :])


def is_name_of_one(cells: list[str]) -> bool:
    """Returns whether these cells look like a name, or like a first and a last name, and not like a company."""
    words = [len(cell.split()) for cell in cells if is_name(cell)]
    return len(words) == len(cells) and (len(words) == 1 or words == [1, 1])


def one_line(cell: str) -> str:
    """Returns the cell with one space for each line end and other white space."""
    return " ".join(cell.split())


def _full_name(said: Mapping[str, str]) -> str:
    """Returns the name that the columns "name", "first" and "last" say; "name" may hold the first name only."""
    name, first, last = (said.get(column, "") for column in ("name", "first", "last"))
    if first or not last:
        return name or " ".join(filter(None, (first, last)))
    return name if last.lower() in name.lower() else " ".join(filter(None, (name, last)))


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
