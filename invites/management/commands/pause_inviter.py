"""manage.py pause_inviter"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.db import transaction

from accounts.management.people import find_people
from accounts.models import Event
from invites.models import Inviter
from kit.commands import arguments, command


class Command(command.Command):
    help = (
        "Keeps people from inviting others, on a site where members may, as the desk does; with --allow lets them "
        "invite again. Invitations that they have sent stay as they are. Nobody is mailed."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada grace@example.com --dry-run", "ada --allow")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", metavar="USER", nargs="+", help="usernames or addresses")
        parser.add_argument("--allow", action="store_true", help="let them invite again")
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        people, word = find_people(options["users"]), "allowed" if options["allow"] else "paused"
        ids = [person.pk for person in people if bool(person.invites_paused_at) == options["allow"]]
        done = len(ids) if options["dry_run"] else self.change(ids, allow=options["allow"])
        self.tell({"people": len(people), word: done}, said(done, len(people), allow=options["allow"]))

    @transaction.atomic
    def change(self, ids: list[Any], *, allow: bool) -> int:
        """Pauses the users with these ids, or allows them to invite, and records it. Returns how many it did.

        It passes over those for whom that was done meanwhile.
        """
        rows = Inviter.objects.filter(pk__in=ids, invites_paused_at__isnull=not allow)
        found = list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        chosen = Inviter.objects.filter(pk__in=found)
        done = chosen.allow() if allow else chosen.pause()
        kind = Event.Kind.INVITES_ALLOWED if allow else Event.Kind.INVITES_PAUSED
        Event.objects.bulk_create([Event(kind=kind, user_id=key, detail={"by": "command"}) for key in found])
        return done


def said(done: int, asked: int, *, allow: bool) -> str:
    people = command.number_of(asked, "person", "people")
    return f"{done:,} of {people} may invite again" if allow else f"{done:,} of {people} may not invite now"
