"""Rows of a list without headings: which of their cells say what of whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from invites.batch.cells import has_address, is_in_brackets, is_mailbox, means_address, people
from invites.batch.columns import COLUMNS
from invites.batch.names import QUOTES, is_name
from invites.batch.rows import Row


@dataclass(frozen=True)
class Said:
    """What a row says of each person, by column, and what of it was not read."""

    of_each: list[dict[str, str]]
    unread: list[str] = field(default_factory=list)  # cells; "" for what is not to be named
    lone: list[str] = field(default_factory=list)  # names of people of whom no address stands there


def read(row: Row) -> Said:
    """Returns what a row says.

    If all cells are addresses, each is a person; so it is in a line that was copied from a mail program. Else the cells
    are in the order of COLUMNS; or, if the first has no address, the first that has one is read, and what stands before
    it if that looks like a name. If none has one, what was meant as an address is taken for it.
    """
    filled = [cell for cell in row.cells if cell]
    places = [index for index, cell in enumerate(row.cells) if has_address(cell)]
    places = places or [index for index, cell in enumerate(row.cells) if means_address(cell)][:1]
    if len(filled) > 1 and places and all(map(means_address, filled)):
        return Said([{"email": cell} for cell in filled])
    addressed = [row.cells[place] for place in places]
    if len(places) > 1 and all(map(is_mailbox, addressed)) and any(map(is_in_brackets, addressed)):
        return _of_mailboxes(filled, row.delimiter)
    if places and places[0]:
        return _behind_name(row.cells, places[0], row.delimiter)
    said = {column: one_line(cell) for column, cell in zip(COLUMNS, row.cells, strict=False)}
    return Said([said | {"email": row.cells[0]}], list(filter(None, row.cells[len(COLUMNS) :])))


def _of_mailboxes(cells: Sequence[str], delimiter: str) -> Said:
    """Returns what the cells of a line like "Lovelace, Ada <ada@example.com>; Turing; bob@example.com" say."""
    found, unused, before = list[dict[str, str]](), list[str](), list[str]()
    for cell in cells:
        if not has_address(cell):
            before.append(cell)
            continue
        whole, rest = _with_names(before, cell) if delimiter == "," and is_in_brackets(cell) else (cell, before)
        found.append({"email": whole})
        unused += rest
        before = []
    unused += before
    lone = [cell for cell in unused if is_name(cell.strip(QUOTES))]
    return Said(found, [cell for cell in unused if cell not in lone], lone)


def _behind_name(cells: Sequence[str], place: int, delimiter: str) -> Said:
    """Returns what a row says of the person whose address is the first in it, in the cell at the index `place`."""
    cell, before = cells[place], [cell for cell in cells[:place] if cell]
    rest = list(filter(None, cells[place + 1 :]))
    if people(cell)[0][0][1]:  # "Lovelace", "Ada <ada@example.com>"
        whole, unused = _with_names(before, cell) if delimiter == "," else (cell, before)
        return Said([{"email": whole}], [*unused, *rest])
    name = " ".join(before) if is_name_of_one(before) else ""
    return Said([{"email": cell, "name": name}], rest if name else [*before, *rest])


def _with_names(before: Sequence[str], cell: str) -> tuple[str, Sequence[str]]:
    """Returns a cell together with the names before it, from which a comma has cut it off; and the cells before those.

    Mail programs write "Lovelace, Ada <ada@example.com>".
    """
    start = len(before)
    while start and is_name(before[start - 1].strip(QUOTES)):
        start -= 1
    return ", ".join([*before[start:], cell]), before[:start]


def is_name_of_one(cells: Sequence[str]) -> bool:
    """Returns whether these cells look like a name, or like a first and a last name, and not like a company."""
    words = [len(cell.split()) for cell in cells if is_name(cell)]
    return len(words) == len(cells) and (len(words) == 1 or words == [1, 1])


def one_line(cell: str) -> str:
    """Returns the cell with one space for each line end and other white space."""
    return " ".join(cell.split())
