"""Writes invitations as a CSV file, with a few statements for hundreds of lines. No token or link is in it."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from invites.models import Invite, InviteQuerySet
from kit import times
from outbox.models import OutboxMessage

CHUNK = 500  # rows read at once
COLUMNS = (
    "email",
    "name",
    "state",
    "delivery",
    "source",
    "invited_by",
    "batch",
    "created",
    "last_sent",
    "ends",
    "opened",
    "accepted",
    "groups",
    "leads_to",
)
# A spreadsheet runs text that begins so as a formula (CSV injection), and a stranger may have written it.
# Some spreadsheets also split lines at semicolons or tabs, so the beginning of each part counts.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=[=+\-@\t\r\n＝＋－＠])")


def lines(invites: InviteQuerySet) -> Iterator[str]:
    """Yields the lines of the CSV file: first the names of the columns, then one for each invitation, newest first."""
    yield "\ufeff" + line(COLUMNS)  # the byte order mark by which Excel recognizes UTF-8
    for chunk in chunks(invites):
        OutboxMessage.objects.attach_newest(chunk)
        for invite in chunk:
            yield line(row(invite))


def chunks(invites: InviteQuerySet) -> Iterator[list[Invite]]:
    """Yields the invitations in lists of at most CHUNK, newest first.

    Each list begins below the last id of the one before, so that invitations added meanwhile shift no line.
    """
    rows = invites.select_related("invited_by").with_group_names().order_by("-id")
    chunk = list(rows[:CHUNK])
    while chunk:
        yield chunk
        chunk = list(rows.filter(id__lt=chunk[-1].pk)[:CHUNK]) if len(chunk) == CHUNK else []


def row(invite: Invite) -> list[str]:
    """Returns the cells of the line for an invitation, in the order of COLUMNS."""
    return [
        invite.email,
        invite.name,
        invite.state,
        invite.delivery or "",
        invite.source,
        invite.invited_by.username if invite.invited_by else "",
        invite.batch,
        *map(
            moment,
            (invite.created_at, invite.sent_at, invite.expires_at, invite.opened_at, invite.accepted_at),
        ),
        "; ".join(invite.group_names),
        invite.next,
    ]


def moment(at: datetime | None) -> str:
    """Returns a time in UTC as "2025-11-21T14:00:00Z", or "" for None."""
    return times.iso(at) if at else ""


def line(values: Iterable[Any]) -> str:
    """Returns one line of CSV with its line end. No value in it is a formula to a spreadsheet."""
    written = StringIO()
    csv.writer(written).writerow([escape_formulas(str(value)) for value in values])
    return written.getvalue()


def escape_formulas(value: str) -> str:
    """Returns the value with an apostrophe before each part that a spreadsheet would run as a formula."""
    return FORMULA.sub(r"\1'", value)
