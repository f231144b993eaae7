"""manage.py list_invites: prints invitations, newest first, as text, JSON or CSV."""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar

from accounts import profile_fields
from accounts.privacy import export
from invites.batch import exports
from invites.management.filters import Filters
from invites.models import Invite, InviteQuerySet
from kit import csv_lines, spans
from kit.commands import arguments, command
from outbox.models import OutboxMessage

FIELDS = ("email", "name", "source", "batch", "language", "next", "sends")
TIMES = ("created_at", "sent_at", "expires_at", "opened_at", "reminded_at", "accepted_at", "declined_at", "revoked_at")
SHOWN = (
    "email",
    "state",
    "delivery",
    "source",
    "sent_at",
    "expires_at",
    "groups",
    "app",
    "next",
)  # in each line of text


class Command(command.Command):
    help = "Lists invitations, the newest first, with their state and what became of their mail. It shows no link."
    examples: ClassVar[tuple[str, ...]] = (
        "--state pending --limit 20",
        "--batch b_0193 --format csv > batch.csv",
        "--state bounced --format json",
        "--group Editors --state accepted",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        Filters.add_arguments(parser)
        arguments.answer(parser, ["text", "json", "csv"])

    def handle(self, *args: Any, **options: Any) -> None:
        filters = Filters(options)
        rows = filters.rows(Invite.objects.all())
        if filters.after:
            rows = rows.filter(pk__lt=filters.after)
        written = {"csv": as_csv, "json": as_json, "text": as_text}[options["format"]]
        for part in written(rows, filters.limit):
            self.stdout.write(part, ending="")


def as_csv(rows: InviteQuerySet, limit: int | None) -> Iterable[str]:
    """Yields the lines of the CSV file that the desk exports: a header, and at most `limit` invitations."""
    return islice(exports.lines(rows), None if limit is None else limit + 1)


def as_json(rows: InviteQuerySet, limit: int | None) -> Iterable[str]:
    """Yields the parts of a JSON list of at most `limit` invitations, as record() makes them, newest first."""
    return export.lines(records(rows, limit))


def as_text(rows: InviteQuerySet, limit: int | None) -> Iterable[str]:
    """Yields a line of the columns SHOWN for each of at most `limit` invitations, newest first."""
    for row in records(rows, limit):
        said = row | {"groups": ", ".join(row["groups"])}
        yield "  ".join(str(said[name] or "–") for name in SHOWN) + "\n"


def records(rows: InviteQuerySet, limit: int | None) -> Iterator[dict[str, Any]]:
    """Yields at most `limit` invitations as dicts, newest first. Takes two statements for some hundreds of them."""
    left = limit
    for chunk in exports.chunks(rows) if limit != 0 else ():
        listed = chunk[:left]
        OutboxMessage.objects.attach_newest(listed)
        yield from map(record, listed)
        left = None if left is None else left - len(listed)
        if left == 0:
            return


def record(invite: Invite) -> dict[str, Any]:
    """Returns what the list shows of an invitation, with times as text in UTC, or None.

    No token, hash or password is in it.
    """
    return {
        "id": invite.pk,
        "state": invite.state.value,
        "delivery": invite.delivery.value if invite.delivery else None,
        "invited_by": invite.invited_by.username if invite.invited_by else None,
        **{name: getattr(invite, name) for name in FIELDS},
        "profile": profile_fields.of_site(invite.profile),
        "groups": invite.group_names,
        "app": invite.app.name if invite.app else "",
        "lifetime": spans.write(invite.lifetime),
        **{name: csv_lines.moment(getattr(invite, name)) or None for name in TIMES},
    }
