"""Writes invitations as a CSV file, with a few statements for hundreds of lines. No token or link is in it."""

from collections.abc import Iterator

from accounts import profile_fields
from invites.models import Invite, InviteQuerySet
from kit import csv_lines
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
    "app",
)


def lines(invites: InviteQuerySet) -> Iterator[str]:
    """Yields the lines of the CSV file: first the names of the columns, then one for each invitation, newest first."""
    yield csv_lines.MARK + csv_lines.line([*COLUMNS, *(field.name for field in profile_fields.own())])
    for chunk in chunks(invites):
        OutboxMessage.objects.attach_newest(chunk)
        for invite in chunk:
            yield csv_lines.line(row(invite))


def chunks(invites: InviteQuerySet) -> Iterator[list[Invite]]:
    """Yields the invitations in lists of at most CHUNK, newest first."""
    return csv_lines.chunks(invites.select_related("invited_by", "app__client").with_group_names(), CHUNK)


def row(invite: Invite) -> list[str]:
    """Returns the cells of the line for an invitation, in the order of COLUMNS, and then of the site's own fields."""
    return [
        invite.email,
        invite.name,
        invite.state,
        invite.delivery or "",
        invite.source,
        invite.invited_by.username if invite.invited_by else "",
        invite.batch,
        *map(
            csv_lines.moment,
            (invite.created_at, invite.sent_at, invite.expires_at, invite.opened_at, invite.accepted_at),
        ),
        "; ".join(invite.group_names),
        invite.next,
        invite.app.name if invite.app else "",
        *profile_fields.of_site(invite.profile).values(),
    ]
