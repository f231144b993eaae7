"""Reads lists of people to be invited, as they come from files and forms: usually one person on each line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain, islice

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invites.batch import bare_rows, columns, headings, names, remarks, rows
from invites.batch.bare_rows import Said, one_line
from invites.batch.cells import has_address, is_address, is_glued, people
from invites.batch.columns import email_of, fields
from invites.batch.headings import Headings
from invites.batch.leads import NOWHERE, Leads
from invites.batch.remarks import Noted, Say
from invites.batch.rows import Row
from invites.models import Entry
from kit import addresses
from kit.each_language import Words, lazily


@dataclass(frozen=True)
class Line:
    """One person that a line of a list names, as `entry`; or the `problem` that keeps the line from being read.

    With a problem, `said` is what the line says by columns.every(), as it came: to be shown, and to be mended.
    """

    number: int  # in its file, from 1
    text: str
    entry: Entry | None = None
    problem: Words = ""
    meant: str = ""  # the address that was probably meant, if this one looks like a typo
    said: Mapping[str, str] = field(default_factory=dict)


def read(lines: Iterable[Row], leads: Leads = NOWHERE, say: Say = remarks.nobody) -> Iterator[Line]:
    """Yields a Line for each person that the rows name, and for each row that can't be read.

    `leads` is where the author of the list may lead people. `say` is called with lazy sentences on what was guessed
    and, at the end, on what was left out. Of a file that begins like the file of bad lines that we give out, what
    stands between its first column and its last is read. What is wrong is the `problem` of a Line; but a file that
    turns out to be damaged raises ValidationError, as files.read_rows() says.
    """
    lines = iter(lines)
    sample = list(islice(lines, headings.SAMPLE))
    if sample and headings.is_bad_lines(sample[0].cells):
        yield from _read_mended(sample[0].cells, chain(sample[1:], lines), leads)
        return
    found = headings.find(sample)
    if found and found.is_guess:
        say(remarks.guessed(found.said[found.columns.index("email")]))
    reader = _People(found, leads)
    above = [row for row in sample[: found.place] if row.problem or any(row.cells)] if found else []
    titles = [rows.shown(", ".join(filter(None, row.cells))) or row.text for row in above if "@" not in row.text]
    meant = [row for row in above if "@" in row.text]
    yield from reader.read(chain(meant, sample[found.place + 1 if found else 0 :], lines))
    for found_out in (
        remarks.titles(titles),
        remarks.unread(reader.unread),
        remarks.left_out(reader.left_out),
        remarks.no_names(reader.no_names),
    ):
        for remark in found_out:
            say(remark)


def _read_mended(first: list[str], lines: Iterable[Row], leads: Leads) -> Iterator[Line]:
    """Yields the Lines of a file of bad lines that was mended, and begins with the cells `first`."""
    found = headings.of_bad_lines(first)
    of_row = partial(_within, width=len(first)) if found else _alone
    yield from _People(found, leads).read(map(of_row, lines))


def _within(row: Row, width: int) -> Row:
    """Returns a row without its first cell, the number of a line, and without its last, the reason."""
    return replace(row, cells=row.cells[1 : width - 1])


def _alone(row: Row) -> Row:
    """Returns the line that the second cell of a row holds."""
    text = row.cells[1] if len(row.cells) > 1 else ""
    mark = rows.best(text)
    return Row(row.number, rows.shown(text), rows.split(text, mark), row.problem, mark)


class _People:
    """Finds the people in the rows of one list, and remembers what it had to leave out."""

    def __init__(self, found: Headings | None, leads: Leads) -> None:
        self.headings, self.leads = found, leads
        self.unread: dict[int, str] = {}  # unknown headings above cells with content, by their index
        self.left_out, self.no_names = Noted(), Noted()

    def read(self, lines: Iterable[Row]) -> Iterator[Line]:
        """Yields a Line for each person that these rows name, or for what is wrong with a row."""
        for row in lines:
            if row.problem:
                yield Line(row.number, row.text, problem=row.problem, said=self._torn(row))
            elif any(row.cells):
                yield from self._people(row)

    def _torn(self, row: Row) -> dict[str, str]:
        """Returns what a row with a problem says, as far as its cells can be told apart, by column."""
        of_each = self._told(row).of_each if any(row.cells) else []
        return _kept(of_each[0] | {"name": _full_name(of_each[0])}) if len(of_each) == 1 else {"email": row.text}

    def _told(self, row: Row) -> Said:
        found = self.headings
        return self._by_headings(row, found) if found and _fits(row.cells, found) else bare_rows.read(row)

    def _people(self, row: Row) -> Iterator[Line]:
        """Yields a Line for each person in a row. Nearly always that is one, but people copy many into one line."""
        told = self._told(row)
        unread = list(told.unread)
        for one in told.of_each:
            cell = one.get("email", "")
            found_people, words_left = people(cell)
            unread += [""] * words_left
            for typed, beside in found_people:
                said = {**one, "email": typed, "name": self._name(row, one, typed, beside)}
                # If the line can't be read, what was left out of the cell may be a part of the address.
                is_part = len(found_people) == 1 and (words_left or is_glued(typed))
                came = one | {"name": _full_name(one)} if is_part else said
                yield self._line(row, said, came)
        for name in told.lone:
            problem = gettext_lazy("There is no email address beside this name")
            yield Line(row.number, name, problem=problem, said={"email": name})
        if unread:
            self.left_out.add(row.number, *unread)

    def _name(self, row: Row, said: Mapping[str, str], address: str, beside: str) -> str:
        """Returns the name in the columns, or else the one beside the address. Notes what was not used of both."""
        tidied = {column: names.tidy(_without(address, said.get(column, ""))) for column in ("name", "first", "last")}
        spare, is_cut = names.tidy(beside)
        if is_cut or any(is_cut for _name, is_cut in tidied.values()):
            self.no_names.add(row.number)
        named = _full_name({column: name for column, (name, _is_cut) in tidied.items()})
        if named and not set(spare.lower().split()) <= set(named.lower().split()):
            self.left_out.add(row.number)
        return named or spare

    def _line(self, row: Row, said: dict[str, str], came: Mapping[str, str]) -> Line:
        """Returns the Line of a person of whom a row says `said`; if that can't be read, it keeps `came`."""
        try:
            entry = self._entry(said)
        except ValidationError:
            return Line(row.number, row.text, problem=lazily(partial(self._why, said)), said=_kept(came))
        return Line(row.number, row.text, entry, meant=_meant(entry.email))

    def _entry(self, said: dict[str, str]) -> Entry:
        """Returns the person of whom this is said. Raises ValidationError if a part of it is not allowed."""
        if has_address(said["name"]) or is_address(said.get("note", "")):
            raise ValidationError(_("There is a second address in this line. Give each person a line of their own"))
        return Entry(email_of(said["email"]), **fields(said, self.leads))

    def _why(self, said: dict[str, str]) -> str:
        """Returns the reason why there is no person of whom this is said, in the reader's language."""
        try:
            self._entry(said)
        except ValidationError as error:
            return str(error.messages[0])
        return ""

    def _by_headings(self, row: Row, found: Headings) -> Said:
        """Returns what a row says of its person.

        Unknown columns do not count as unread here: their headings go into `unread`.
        """
        said, unread = dict[str, str](), list[str]()
        for index, cell in enumerate(row.cells):
            column = found.columns[index] if index < len(found.columns) else None
            if not cell:
                continue
            if column == "":
                self.unread[index] = found.said[index]
            elif column is None or column in said:  # more cells than headings, or a second address
                unread.append(cell)
            else:
                said[column] = cell if column == "email" else one_line(cell)
        return Said([said], unread)


def _kept(said: Mapping[str, str]) -> dict[str, str]:
    """Returns what is stored of a line that can't be read, by columns.every(), without empty cells."""
    return {column: rows.kept(said[column]) for column in columns.every() if said.get(column)}


def _fits(cells: list[str], found: Headings) -> bool:
    """Returns whether the cells of a row stand below headings.

    They do not below "Email" alone in "Lovelace, Ada <ada@example.com>", which its comma has cut.
    """
    return len(found.columns) > 1 or has_address(cells[0]) or not any(map(has_address, cells))


def _without(address: str, name: str) -> str:
    """Returns a name, or "" if it is the address once more."""
    return "" if name.lower() == address.lower() else name


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
