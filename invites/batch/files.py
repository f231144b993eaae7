"""Files of people to be invited: tells what a file is, and reads its rows if it is a workbook or text."""

from collections.abc import Iterator
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invites.batch import encodings, remarks, rows, workbook
from invites.batch.remarks import Say
from invites.batch.rows import Row

# How files begin that people take for lists.
BEGINNINGS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": gettext_lazy("an old Excel file (.xls), or one with a password"),
    b"%PDF": "PDF",
    b"{\\rtf": "RTF",
    b"<!DOCTYPE": gettext_lazy("a web page"),
    b"<HTML": gettext_lazy("a web page"),
    b"<TABLE": gettext_lazy("a web page"),
    b"<?XML": "XML",
    b"BEGIN:VCARD": gettext_lazy("an address card (vCard)"),
}
# What archives hold that are not .xlsx; the first part whose name begins so tells.
ARCHIVES = {
    "xl/workbook.bin": ".xlsb",
    "word/": gettext_lazy("a Word document"),
    "ppt/": "PowerPoint",
    "Index/": "Numbers",
    "content.xml": gettext_lazy("an OpenDocument file (.ods, .odt)"),
}
ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")
HEAD = 1024  # bytes that tell what a file is
CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32)])
BINARY = 0.05  # the share of these that no text has


def read_rows(file: BinaryIO, encoding: str = "", say: Say = remarks.nobody) -> Iterator[Row]:
    """Returns the rows of a file: of the first sheet of an .xlsx workbook, or the lines of a text.

    The file must be seekable. `encoding` is one of encodings.NAMES, or "" for a guess; `say` is told what was guessed,
    in sentences. Raises ValidationError, in words for whoever chose the file, if it is of another kind or damaged. A
    damaged workbook may raise it later, from the rows.
    """
    sample = file.read(encodings.SAMPLE)
    file.seek(0)
    if sample.startswith(ARCHIVE):
        refuse_archive(file)
        return workbook.read_rows(file, say)
    refuse(sample)
    used = encoding or encodings.guess(sample)
    if is_binary(sample) and not used.startswith(encodings.UTF16):
        raise workbook.damaged()
    if used != encodings.UTF8 and not encoding:
        say(remarks.encoding(used))
    return rows.of_lines(encodings.decode(file, used), is_file=True)


def refuse(sample: bytes) -> None:
    """Raises ValidationError if a file begins like one that can't be read as a list."""
    head = sample[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().upper()
    for beginning, kind in BEGINNINGS.items():
        if head.startswith(beginning.upper()):
            raise other_kind(str(kind))


def refuse_archive(file: BinaryIO) -> None:
    """Raises ValidationError if a ZIP archive is no .xlsx workbook."""
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        raise workbook.damaged() from None
    file.seek(0)
    for beginning, kind in ARCHIVES.items():
        if any(name.startswith(beginning) for name in names):
            raise other_kind(str(kind))
    if "xl/workbook.xml" not in names:
        raise other_kind("ZIP")


def is_binary(sample: bytes) -> bool:
    """Returns whether a file has more control characters than any text."""
    return len(sample) > HEAD and len(sample) - len(sample.translate(None, CONTROLS)) > len(sample) * BINARY


def other_kind(kind: str) -> ValidationError:
    """Returns the error that a file is of another kind, named in the reader's language, and what to do."""
    return ValidationError(_("This file is %(kind)s. Save it as .xlsx or CSV.") % {"kind": kind})
