"""manage.py list_invites"""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar

from accounts.privacy import export
from invites.batch import exports
from invites.management.filters import Filters
from invites.models import Invite, InviteQuerySet
from kit.commands import arguments, command
from outbox.models import OutboxMessage

FIELDS = ("email", "name", "source", "batch", "language", "sends")
TIMES = ("created_at", "sent_at", "expires_at", "opened_at", "reminded_at", "accepted_at", "declined_at", "revoked_at")
SHOWN = ("email", "state", "delivery", "source", "sent_at", "expires_at")  # on a line of text


class Command(command.Command):
    help = "Lists invitations, the newest first, with their state and what became of their mail. It shows no link."
    examples: ClassVar[tuple[str, ...]] = (
        "--state pending --limit 20",
        "--batch b_0193 --format csv > batch.csv",
        "--state bounced --format json",
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
    """The same file as at the desk."""
    return islice(exports.lines(rows), None if limit is None else limit + 1)


def as_json(rows: InviteQuerySet, limit: int | None) -> Iterable[str]:
    return export.lines(told(rows, limit))


def as_text(rows: InviteQuerySet, limit: int | None) -> Iterable[str]:
    for row in told(rows, limit):
        yield "  ".join(str(row[name] or "–") for name in SHOWN) + "\n"


def told(rows: InviteQuerySet, limit: int | None) -> Iterator[dict[str, Any]]:
    """Two statements for some hundreds of them, whether there are a thousand or a million."""
    left = limit
    for chunk in exports.chunks(rows) if limit != 0 else ():
        listed = chunk[:left]
        OutboxMessage.objects.attach_newest(listed)
        yield from map(described, listed)
        left = None if left is None else left - len(listed)
        if left == 0:
            return


def described(invite: Invite) -> dict[str, Any]:
    """What a list says of an invite: no token, hash or password."""
    return {
        "id": invite.pk,
        "state": invite.state.value,
        "delivery": invite.delivery.value if invite.delivery else None,
        "invited_by": invite.invited_by.username if invite.invited_by else None,
        **{name: getattr(invite, name) for name in FIELDS},
        **{name: exports.moment(getattr(invite, name)) or None for name in TIMES},
    }
