"""The cells of one sheet of a workbook, as rows of text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from invites.batch import remarks, rows
from invites.batch.encodings import LONGEST
from invites.batch.remarks import Say
from invites.batch.rows import Row
from invites.batch.xml_elements import Element, elements, namespace, text

WIDEST = 1000  # columns
TRUE = {"1", "true"}
LETTERS = re.compile(r"[A-Z]+")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how Excel writes control characters


@dataclass(frozen=True)
class Context:
    """What the cells of a sheet refer to in their workbook."""

    strings: list[str]
    date_styles: set[int]
    starts_1904: bool


def read(part: bytes, context: Context, say: Say = remarks.nobody) -> Iterator[Row]:
    """Yields the rows of a sheet that have content. `say` is told at the end if any of these were hidden.

    Raises ValidationError if a row has more than WIDEST columns; ParseError, ValueError or LookupError if the part is
    damaged.
    """
    number, has_hidden = 0, False
    for found in elements(part, "row", "sheetData"):
        number = int(found.get("r", number + 1))
        texts = cells(found, context)
        problem = unreadable(found, texts)
        if problem or any(texts):
            has_hidden |= found.get("hidden") in TRUE
            yield Row(number, rows.shown(rows.join(texts)), texts, problem)
    if has_hidden:
        say(remarks.hidden_rows())


def cells(row: Element, context: Context) -> list[str]:
    """Returns the cells of a row as texts, with empty ones for those that it leaves out."""
    texts, place = dict[int, str](), 0
    for cell in row.findall(f"{namespace(row)}c"):
        name = LETTERS.match(cell.get("r", ""))
        place = column(name[0]) if name else place + 1
        if said := shown(cell, context):
            texts[place] = said
    if texts and max(texts) > WIDEST:
        raise ValidationError(_("The sheet has more than 1,000 columns. Save the columns that matter as CSV."))
    return [texts.get(place, "") for place in range(1, max(texts, default=0) + 1)]


def column(letters: str) -> int:
    """Returns the number of a column from its letters: 1 for A, 27 for AA. More than three are 18279."""
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def unreadable(row: Element, texts: list[str]) -> str:
    """Returns the reason why a row, whose cells are `texts`, can't be read, in the reader's language, or ""."""
    prefix = namespace(row)
    if any(len(said) > LONGEST for said in texts):
        return _("The line is longer than 10,000 characters")
    for cell in row:
        # The result of a formula may be empty text, which has the type "str".
        if cell.find(f"{prefix}f") is not None and not cell.findtext(f"{prefix}v") and cell.get("t") != "str":
            return _("A formula in this line has no stored result. Open the file in Excel and save it again")
    return ""


def shown(cell: Element, context: Context) -> str:
    """Returns what a cell shows: "5" for 5.0, "2026-11-20" for a date, "" for nothing.

    Raises ValueError or LookupError if the cell is damaged.
    """
    prefix, kind = namespace(cell), cell.get("t", "n")
    written = cell.find(f"{prefix}is")
    said = cell.findtext(f"{prefix}v") or "" if written is None else text(written)
    if not said:
        return ""
    if kind == "s":
        said = context.strings[int(said)]
    elif kind == "b":
        said = str(said in TRUE).upper()
    elif kind == "n":
        value = float(said)
        if int(cell.get("s", 0)) in context.date_styles:
            return moment(value, context)
        said = str(int(value)) if value.is_integer() else str(value)
    return ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), said).strip(rows.EDGES)


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
