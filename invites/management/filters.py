"""The options by which commands choose invitations, the same for every command."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone

from invites.models import Invite, InviteQuerySet
from invites.models.lifecycle import CHUNK
from kit.commands import arguments, prompts
from sso.models import App

BOUNCED = "bounced"
STATES = [*Invite.State.values, BOUNCED]
NARROWING = ("email", "state", "older_than", "batch", "source", "group", "app")


def invite_id(text: str) -> UUID:
    """Returns the id that was typed. Raises ArgumentTypeError if it is malformed."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError("must be the id of an invite") from None


def find_group(name: str) -> int:
    """Returns the id of the group with this name. Raises CommandError if there is none."""
    found: int | None = Group.objects.filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no group called “{name}”.", returncode=2)
    return found


def find_app(said: str) -> str:
    """Returns the id of the app with this name or id. Raises CommandError if there is none, or if several have it."""
    rows = App.objects.filter(Q(pk=said) | Q(client__name=said)).values_list("pk", flat=True)
    found = [pk for pk in rows if pk == said] or list(rows)
    if not found:
        raise CommandError(f"There is no app called “{said}”.", returncode=2)
    if len(found) > 1:
        raise CommandError(f"Several apps are called “{said}”: {', '.join(found)}. Give the client ID.", returncode=2)
    return found[0]


class Filters:
    """The choice of invitations by the options of one command; pages() yields their ids in pages."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Reads the options of add_arguments(). Raises CommandError for a blank email, an unknown group or app."""
        self.given = {name: options[name] for name in NARROWING if options[name] is not None}
        if "email" in self.given:
            self.given["email"] = prompts.address(self.given["email"])
        if "group" in self.given:
            self.given["group"] = find_group(self.given["group"])
        if "app" in self.given:
            self.given["app"] = find_app(self.given["app"])
        self.limit, self.after = options["limit"], options["after_id"]

    @staticmethod
    def add_arguments(parser: ArgumentParser, states: Sequence[str] = STATES) -> None:
        parser.add_argument("--email", help="only those to this address")
        parser.add_argument("--state", choices=states, help="only those in this state")
        older = "only those last sent longer ago: 3d, 12h, 90m"
        parser.add_argument("--older-than", type=arguments.age, metavar="AGE", help=older)
        parser.add_argument("--batch", metavar="ID", help="only those of this batch")
        parser.add_argument("--source", choices=Invite.Source.values, help="only those that were made in this way")
        parser.add_argument("--group", metavar="NAME", help="only those into this group")
        parser.add_argument("--app", metavar="NAME", help="only those to this app, by its name or client ID")
        parser.add_argument("--limit", type=arguments.count, metavar="N", help="at most N of them")
        parser.add_argument("--after-id", type=invite_id, metavar="ID", help="go on after this one")

    def rows(self, among: InviteQuerySet) -> InviteQuerySet:
        """Returns those of `among` that the options choose, whatever --limit and --after-id say."""
        for name, value in self.given.items():
            among = self._narrow(among, name, value)
        return among

    def pages(self, among: InviteQuerySet) -> Iterator[list[UUID]]:
        """Yields the ids of the chosen invitations, oldest first, in lists of CHUNK. Obeys --limit and --after-id.

        Each list begins after the last id of the one before, so that rows that change meanwhile shift nothing.
        """
        rows, after, left = self.rows(among), self.after, self.limit
        while left is None or left > 0:
            beyond = rows.filter(pk__gt=after) if after else rows
            size = CHUNK if left is None else min(left, CHUNK)
            page = list(beyond.order_by("pk").values_list("pk", flat=True)[:size])
            if not page:
                return
            yield page
            after, left = page[-1], None if left is None else left - len(page)

    def _narrow(self, rows: InviteQuerySet, name: str, value: Any) -> InviteQuerySet:
        if name == "state":
            return rows.bounced() if value == BOUNCED else rows.in_state(value)
        if name == "older_than":
            return rows.filter(sent_at__lt=timezone.now() - value)
        if name == "group":
            return rows.into(value)
        return rows.filter(**{name: value})
