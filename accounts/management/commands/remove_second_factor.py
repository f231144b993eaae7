"""manage.py remove_second_factor"""

import json
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import User
from kit.commands import arguments, command


class Command(command.Command):
    help = (
        "Turns off two-step verification for people who have lost their phone and their recovery codes, signs them out "
        "everywhere and mails them. Be sure whom you talk to: from then on a password or a mailed link is enough."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada@example.com", "ada grace --dry-run")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", metavar="USER", nargs="+", help="usernames or addresses")
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        people = self.named(options["users"])
        remove = self.has_one if options["dry_run"] else self.remove
        report = {
            "command": "remove_second_factor",
            "dry_run": options["dry_run"],
            "people": len(people),
            "removed": sum(map(remove, people)),
        }
        said = "{dry}removed from {removed} of {people} people".format(
            dry="DRY RUN  " if report["dry_run"] else "", **report
        )
        self.stdout.write(json.dumps(report) if options["format"] == "json" else said)

    def named(self, logins: list[str]) -> list[User]:
        people = {login: User.objects.by_login(login) for login in logins}
        if unknown := [login for login, user in people.items() if user is None]:
            raise CommandError(f"There is nobody called {', '.join(unknown)}. Nothing was changed.", returncode=2)
        return list({user.pk: user for user in people.values() if user}.values())

    def has_one(self, user: User) -> bool:
        return user.second_factor.is_on

    def remove(self, user: User) -> bool:
        with transaction.atomic():
            removed = user.second_factor.turn_off(by="staff")
            if removed:
                user.end_sessions()
        return removed
