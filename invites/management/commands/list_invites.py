"""manage.py list_invites"""

import csv
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from accounts.leaving import lines
from invites.management.filters import Filters
from invites.models import Invite
from mail.management import arguments, manners

FIELDS = ("id", "email", "state", "delivery", "source", "invited_by", "batch", "name", "language")
TIMES = ("created_at", "sent_at", "expires_at", "opened_at", "reminded_at", "claimed_at", "declined_at", "revoked_at")
SHOWN = ("email", "state", "delivery", "source", "sent_at", "expires_at")  # on a line of text
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate


class Command(manners.Command):
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
        rows = (told(invite) for invite in chosen(Filters(options, newest_first=True)))
        if options["format"] == "json":
            self.print(lines(rows))
        elif options["format"] == "csv":
            writer = csv.writer(self.stdout, lineterminator="\n")
            writer.writerow([*FIELDS, "sends", *TIMES])
            writer.writerows([safe(value) for value in row.values()] for row in rows)
        else:
            self.print(text(row) for row in rows)

    def print(self, parts: Iterable[str]) -> None:
        for part in parts:
            self.stdout.write(part, ending="")


def chosen(filters: Filters) -> Iterator[Invite]:
    """Three statements for some hundreds of them, whether there are a thousand or a million."""
    for page in filters.pages(Invite.objects.all()):
        invites = list(Invite.objects.filter(pk__in=page).select_related("invited_by").order_by("-pk"))
        Invite.objects.read_mails(invites)
        yield from invites


def told(invite: Invite) -> dict[str, Any]:
    """What a list says of an invite: no token, hash or password."""
    row = {name: getattr(invite, name) for name in FIELDS} | {"sends": invite.sends}
    row |= {"id": str(invite.pk), "state": invite.state.value, "delivery": invite.delivery and invite.delivery.value}
    row["invited_by"] = invite.invited_by.username if invite.invited_by else None
    return row | {name: moment(getattr(invite, name)) for name in TIMES}


def moment(value: datetime | None) -> str | None:
    """ISO 8601, in UTC."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if value else None


def safe(value: Any) -> Any:
    """What a spreadsheet takes for text, and never for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def text(row: dict[str, Any]) -> str:
    return "  ".join(str(row[name] or "–") for name in SHOWN) + "\n"
