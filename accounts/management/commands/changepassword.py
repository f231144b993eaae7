"""manage.py changepassword"""

import getpass
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.management.people import find_people
from accounts.models import Superseded, User
from kit.commands import command

TRIES = 3


class Command(command.Command):
    """Django's command, but it goes through WaysIn.change_password(), like every other new password."""

    help = (
        "Asks for a new password for one person. As with every new password, all sessions end, Google is disconnected, "
        "known devices are forgotten, and the person is mailed."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada@example.com")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="a username or an address")

    def handle(self, *args: Any, **options: Any) -> None:
        (person,) = find_people([options["user"]])
        self.stderr.write(f"Changing the password of {person.username}.")
        password = self.ask(person)
        try:
            person.ways_in.change_password(password, by="command")
        except Superseded:
            said = f"{person.username} was signed out everywhere or deleted meanwhile. Nothing was changed. Try again."
            raise CommandError(said) from None
        self.stdout.write(f"Password of {person.username} changed.")

    def ask(self, person: User) -> str:
        """Returns a new password that was typed twice alike and keeps the rules.

        Raises CommandError if nothing is typed, or after TRIES that did not do.
        """
        for _try in range(TRIES):
            password = getpass.getpass("Password: ")
            if not password:
                break
            if password != getpass.getpass("Password (again): "):
                self.stderr.write("The two differ. Type them again.")
                continue
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.stderr.write("\n".join(error.messages))
            else:
                return password
        raise CommandError("Nothing was changed.")
