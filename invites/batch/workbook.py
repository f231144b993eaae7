"""Excel workbooks (.xlsx): their parts, their sheets, and the rows of the one that is read.

The format is ECMA-376. We read it ourselves, piece by piece: libraries make objects of all that is in a file, of
styles, too, so that a file of 20 kB can take minutes and gigabytes.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import normpath
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from invites.batch import hyperlinks, remarks, sheet
from invites.batch.remarks import Say
from invites.batch.rows import Row
from invites.batch.xml_elements import Element, ParseError, attribute, elements, text

UNPACKED = 10 * 1024 * 1024  # bytes of all parts that are read
PIECE = 64 * 1024  # bytes that are unpacked at once
MAIN, LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"

# Everything that makes a file damaged, wherever it is found out.
DAMAGED = (BadZipFile, ParseError, zlib.error, OSError, EOFError, RuntimeError, ValueError, LookupError)

# The numbers of Excel's own formats that are dates or times, and what makes another format one.
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
LITERAL = re.compile(r'"[^"]*"?|\[[^\]]*\]?|\\.|_.')
DATE_LETTER = re.compile(r"[dmhysDMHYS]")


@dataclass(frozen=True)
class Sheet:
    """A sheet as its workbook names it, with the name of the part that holds its cells."""

    title: str
    is_visible: bool
    part: str


def read_rows(file: BinaryIO, say: Say) -> Iterator[Row]:
    """Returns the rows of the first visible sheet that has any. `say` is told which sheet that is, if there are more.

    Of a formula the stored result is read. Raises ValidationError if the file is damaged or too large; the rows do so,
    too, when they get there.
    """
    try:
        parts = unpack(file)
        sheets = find_sheets(parts)
        context = sheet.Context(shared_strings(parts), date_styles(parts), starts_1904(parts))
        visible = [one for one in sheets if one.is_visible]
        chosen = next((one for one in visible if sheet.has_content(parts[one.part])), None)
        links = hyperlinks.of_sheet(parts, chosen.part) if chosen else {}
    except DAMAGED:
        raise damaged() from None
    if chosen is None:
        return iter(())
    others = [one for one in sheets if one is not chosen and has_content(parts[one.part])]
    others_visible = [one.title for one in others if one.is_visible]
    for remark in remarks.sheets(chosen.title, others_visible, [one.title for one in others if not one.is_visible]):
        say(remark)
    return guarded(sheet.read(parts[chosen.part], context, say, links))


def has_content(part: bytes) -> bool:
    """Returns whether a sheet that is not read has any content, also if it can't be read."""
    try:
        return sheet.has_content(part)
    except DAMAGED:
        return True


def guarded(rows: Iterator[Row]) -> Iterator[Row]:
    """Yields these rows. Raises ValidationError if the part that they come from is damaged."""
    try:
        yield from rows
    except DAMAGED:
        raise damaged() from None


def unpack(file: BinaryIO) -> dict[str, bytes]:
    """Returns the parts of a workbook that say what is in its cells, by their names.

    Raises ValidationError if they are more than UNPACKED bytes, whatever the file says of their size; one of DAMAGED,
    if it is damaged.
    """
    parts, left = dict[str, bytes](), UNPACKED
    with ZipFile(file) as archive:
        for member in archive.infolist():
            if member.filename.endswith((".xml", ".rels")) and not member.filename.startswith(
                ("docProps/", "xl/theme")
            ):
                parts[member.filename] = unpack_part(archive, member, left)
                left -= len(parts[member.filename])
    return parts


def unpack_part(archive: ZipFile, member: ZipInfo, most: int) -> bytes:
    """Returns the bytes of a part. Raises ValidationError if they are more than `most`: no more are unpacked."""
    # Others, which Excel does not use, can't be unpacked piece by piece.
    if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise damaged()
    pieces, left = [], most
    with archive.open(member) as part:
        while piece := part.read(PIECE):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise sheet.too_large()
    return b"".join(pieces)


def find_sheets(parts: dict[str, bytes]) -> list[Sheet]:
    """Returns the sheets with cells in the order of the workbook; sheets of charts and missing ones are left out.

    No part comes twice, as a file might name one a thousand times. Raises one of DAMAGED.
    """
    targets = {found.get("Id"): target(found) for found in links(parts)}
    sheets = dict[str, Sheet]()
    for named in elements(parts[MAIN], "sheet", "sheets"):
        kind, part = targets.get(attribute(named, "id"), ("", ""))
        if kind == "worksheet" and part in parts:
            sheets.setdefault(part, Sheet(named.attrib["name"], named.get("state", "visible") == "visible", part))
    return list(sheets.values())


def links(parts: dict[str, bytes]) -> Iterator[Element]:
    return elements(parts[LINKS], "Relationship", "Relationships")


def target(link: Element) -> tuple[str, str]:
    """Returns what a link of the workbook leads to, such as "worksheet", and the name of the part."""
    path = link.attrib["Target"]
    part = path[1:] if path.startswith("/") else f"xl/{path}"
    return link.attrib["Type"].rpartition("/")[2], normpath(part)


def linked(parts: dict[str, bytes], kind: str) -> bytes | None:
    """Returns the part of the workbook of this kind, such as "styles"; None if it has none."""
    return next((parts.get(part) for found, part in map(target, links(parts)) if found == kind), None)


def shared_strings(parts: dict[str, bytes]) -> list[str]:
    """Returns the texts that cells name by their number."""
    part = linked(parts, "sharedStrings")
    return [text(found) for found in elements(part, "si", "sst")] if part else []


def date_styles(parts: dict[str, bytes]) -> set[int]:
    """Returns the numbers of the styles of cells that show a number as a date or time."""
    part = linked(parts, "styles")
    if not part:
        return set()
    formats = set(DATE_FORMATS)
    for found in elements(part, "numFmt", "numFmts"):
        if DATE_LETTER.search(LITERAL.sub("", found.get("formatCode", ""))):
            formats.add(int(found.attrib["numFmtId"]))
    styles = enumerate(elements(part, "xf", "cellXfs"))
    return {number for number, found in styles if int(found.get("numFmtId", 0)) in formats}


def starts_1904(parts: dict[str, bytes]) -> bool:
    """Returns whether the workbook counts its days from 1904, as Excel for Mac used to."""
    return any(found.get("date1904") in sheet.TRUE for found in elements(parts[MAIN], "workbookPr", "workbook"))


def damaged() -> ValidationError:
    return ValidationError(_("This file is not a spreadsheet we can read. Save it as .xlsx or CSV."))
