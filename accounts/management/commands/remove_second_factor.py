"""manage.py remove_second_factor"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.db import transaction

from accounts.management.people import find_people
from accounts.models import User
from kit.commands import arguments, command


class Command(command.Command):
    help = (
        "Turns off two-step verification for people who have lost their phone and their recovery codes, signs them out "
        "everywhere and mails them. Make sure first that it is they who ask: afterwards a password or a mailed link is "
        "enough to sign in."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada@example.com", "ada grace --dry-run")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", metavar="USER", nargs="+", help="usernames or addresses")
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        people = find_people(options["users"])
        remove = self.has_one if options["dry_run"] else self.remove
        report = {"people": len(people), "removed": sum(map(remove, people))}
        self.tell(report, "removed from {removed} of {people} people".format(**report))

    def has_one(self, user: User) -> bool:
        return user.second_factor.is_on

    def remove(self, user: User) -> bool:
        """Turns off the user's two-step verification, mails them and ends their sessions.

        Returns False if it was off, or if the account was deleted meanwhile.
        """
        with transaction.atomic():
            # Read again: a person who has just signed out everywhere is helped all the same.
            now = User.objects.select_for_update().filter(pk=user.pk).first()
            removed = now is not None and now.second_factor.turn_off(by="command")
            if now and removed:
                now.end_sessions()
        return removed
