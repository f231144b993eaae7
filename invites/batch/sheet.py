"""The cells of one sheet of a workbook, as rows of text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from invites.batch import remarks, rows
from invites.batch.cells import has_address
from invites.batch.encodings import LONGEST
from invites.batch.remarks import Say
from invites.batch.rows import Row
from invites.batch.xml_elements import Element, elements, namespace, text
from kit.each_language import Words

WIDEST = 1000  # columns
MOST = 4 * 1024 * 1024  # characters of all cells: many may name one long text that is stored once
TRUE = {"1", "true"}
LETTERS = re.compile(r"[A-Z]+")
ROW = re.compile(r"\d+")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how Excel writes control characters


@dataclass(frozen=True)
class Context:
    """What the cells of a sheet refer to in their workbook."""

    strings: list[str]
    date_styles: set[int]
    starts_1904: bool


def read(
    part: bytes, context: Context, say: Say = remarks.nobody, links: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """Yields the rows of a sheet that have content. `say` is told at the end of hidden rows and merged cells.

    `links` are the mailto URLs under its cells, by their names. Raises ValidationError if a row has more than WIDEST
    columns, or all have more than MOST characters; ParseError, ValueError or LookupError if the part is damaged.
    """
    number, has_hidden, left = 0, False, MOST
    for found in elements(part, "row", "sheetData"):
        number = int(found.get("r", number + 1))
        texts, length = cells(found, context, links or {})
        left -= length
        if left < 0:
            raise too_large()
        problem = unreadable(found, length)
        if problem or any(texts):
            has_hidden |= found.get("hidden") in TRUE
            yield Row(number, beginning(texts), texts, problem)
    if has_hidden:
        say(remarks.hidden_rows())
    if number and any(map(spans_rows, elements(part, "mergeCell", "mergeCells") if b"mergeCell" in part else ())):
        say(remarks.merged_cells())


def spans_rows(merged: Element) -> bool:
    """Returns whether merged cells, such as "A2:A4", lie in more than one row."""
    return len(set(ROW.findall(merged.get("ref", "")))) > 1


def has_content(part: bytes) -> bool:
    """Returns whether any cell of a sheet holds something. Raises ParseError or ValueError if the part is damaged."""
    return any(len(cell) for row in elements(part, "row", "sheetData") for cell in row.findall(f"{namespace(row)}c"))


def cells(row: Element, context: Context, links: Mapping[str, str]) -> tuple[list[str], int]:
    """Returns the cells of a row as texts, with empty ones for those that it leaves out, and their length as stored.

    If they are longer than LONGEST, the rest of the row is not looked at. The address in a link under a cell follows
    its text, if no cell of the row shows an address.
    """
    texts, linked, place, length = dict[int, str](), dict[int, str](), 0, 0
    for cell in row.findall(f"{namespace(row)}c"):
        name = LETTERS.match(cell.get("r", ""))
        place = column(name[0]) if name else place + 1
        said = stored(cell, context)
        length += len(said)
        if length > LONGEST:
            break
        if said := shown(cell, said, context):
            texts[place] = said
            if link := links.get(cell.get("r", "")):
                linked[place] = f"{said} {link}"
    if texts and max(texts) > WIDEST:
        raise ValidationError(_("The sheet has more than 1,000 columns. Save the columns that matter as CSV."))
    if linked and not any(map(has_address, texts.values())):
        texts |= linked
    return [texts.get(place, "") for place in range(1, max(texts, default=0) + 1)], length


def beginning(texts: list[str]) -> str:
    """Returns the beginning of a row whose cells are `texts`, to be shown."""
    return rows.shown(rows.join(text[: rows.SHOWN + 1] for text in texts[: rows.SHOWN + 1]))


def column(letters: str) -> int:
    """Returns the number of a column from its letters: 1 for A, 27 for AA. More than three are 18279."""
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def unreadable(row: Element, length: int) -> Words:
    """Returns the reason why a row with so many characters can't be read, in the reader's language, or ""."""
    prefix = namespace(row)
    if length > LONGEST:
        return _("The line is longer than 10,000 characters")
    for cell in row:
        # The result of a formula may be empty text, which has the type "str".
        if cell.find(f"{prefix}f") is not None and not cell.findtext(f"{prefix}v") and cell.get("t") != "str":
            return _("A formula in this line has no stored result. Open the file in Excel and save it again")
    return ""


def stored(cell: Element, context: Context) -> str:
    """Returns what is stored for a cell: its text, or the number behind what it shows.

    Raises ValueError or LookupError if the cell is damaged.
    """
    prefix = namespace(cell)
    written = cell.find(f"{prefix}is")
    said = cell.findtext(f"{prefix}v") or "" if written is None else text(written)
    return context.strings[int(said)] if said and cell.get("t") == "s" else said


def shown(cell: Element, said: str, context: Context) -> str:
    """Returns what a cell shows for which `said` is stored: "5" for 5.0, "2026-11-20" for a date, "" for nothing.

    Raises ValueError if the cell is damaged.
    """
    kind = cell.get("t", "n")
    if not said:
        return ""
    if kind == "b":
        said = str(said in TRUE).upper()
    elif kind == "n":
        value = float(said)
        if int(cell.get("s", 0)) in context.date_styles:
            return moment(value, context)
        said = str(int(value)) if value.is_integer() else str(value)
    said = ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), said)
    return rows.stripped(said)


def moment(days: float, context: Context) -> str:
    """Returns Excel's number of days as a date, as a time if it is less than one day, or as both, in ISO 8601."""
    first = datetime(1904, 1, 1) if context.starts_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 a sheet has no zone
    try:
        found = first + timedelta(seconds=round(days * 86400))
    except OverflowError:
        return str(days)
    if 0 <= days < 1:
        return found.time().isoformat()
    return found.date().isoformat() if found.time() == found.time().min else found.isoformat()


def too_large() -> ValidationError:
    return ValidationError(_("There is too much in this Excel file. Save the sheet with the addresses as CSV."))
