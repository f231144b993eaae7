"""Invitations as a CSV file, a few statements for hundreds of lines. No token or link is in it."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from invites.models import Invite, InviteQuerySet
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
)
# A spreadsheet takes what begins so for a formula, and would do what a stranger wrote.
# Some part lines at semicolons or tabs, so each part counts.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=[=+\-@\t\r\n＝＋－＠])")


def lines(invites: InviteQuerySet) -> Iterator[str]:
    """The file, line by line; newest first."""
    yield "\ufeff" + line(COLUMNS)  # by this mark Excel knows UTF-8
    for chunk in chunks(invites):
        OutboxMessage.objects.attach_newest(chunk)
        for invite in chunk:
            yield line(row(invite))


def chunks(invites: InviteQuerySet) -> Iterator[list[Invite]]:
    """Each begins where the last one ended, so that what is added meanwhile moves nothing."""
    rows = invites.select_related("invited_by").order_by("-id")
    chunk = list(rows[:CHUNK])
    while chunk:
        yield chunk
        chunk = list(rows.filter(id__lt=chunk[-1].pk)[:CHUNK]) if len(chunk) == CHUNK else []


def row(invite: Invite) -> list[str]:
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
    ]


def moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


def line(values: Iterable[Any]) -> str:
    written = StringIO()
    csv.writer(written).writerow([harmless(str(value)) for value in values])
    return written.getvalue()


def harmless(value: str) -> str:
    """The value as a spreadsheet shows it and does not run it."""
    return FORMULA.sub(r"\1'", value)
