"""CSV files that a spreadsheet opens well and runs no formula of, written line by line for however many rows."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from kit import times

MARK = "\ufeff"  # the byte order mark by which Excel recognizes UTF-8
# A spreadsheet runs text that begins so as a formula (CSV injection), and a stranger may have written it.
# Some spreadsheets also split lines at semicolons or tabs, so the beginning of each part counts.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=[=+\-@\t\r\n＝＋－＠])")


def chunks(rows: "QuerySet[Any]", size: int) -> Iterator[list[Any]]:
    """Yields the rows in lists of at most `size`, newest first.

    Each list begins below the last id of the one before, so that rows added meanwhile shift no line.
    """
    newest = rows.order_by("-id")
    chunk = list(newest[:size])
    while chunk:
        yield chunk
        chunk = list(newest.filter(id__lt=chunk[-1].pk)[:size]) if len(chunk) == size else []


def line(values: Iterable[Any]) -> str:
    """Returns one line of CSV with its line end. No value in it is a formula to a spreadsheet."""
    written = StringIO()
    csv.writer(written).writerow([escape_formulas(str(value)) for value in values])
    return written.getvalue()


def moment(at: datetime | None) -> str:
    """Returns a time in UTC as "2025-11-21T14:00:00Z", or "" for None."""
    return times.iso(at) if at else ""


def escape_formulas(value: str) -> str:
    """Returns the value with an apostrophe before each part that a spreadsheet would run as a formula."""
    return FORMULA.sub(r"\1'", value)


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yields the lines of a CSV file of these rows, as line() does, the first of them behind MARK."""
    return (MARK * (not number) + line(row) for number, row in enumerate(rows))


def download(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    """Returns these lines as a file to download, whose name is `name` with the date of today."""
    headers = {"Content-Disposition": f'attachment; filename="{name}-{timezone.localtime():%Y-%m-%d}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
