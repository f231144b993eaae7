"""manage.py export_user"""

import json
from argparse import ArgumentParser
from typing import Any, ClassVar

from accounts.management.people import find_people
from accounts.models import Event
from accounts.privacy import export
from kit.commands import command


class Command(command.Command):
    help = "Prints all that is stored about one person, as JSON. They can download the same themselves. It is recorded."
    examples: ClassVar[tuple[str, ...]] = ("ada > ada.json", "ada@example.com > ada.json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="NAME|ADDRESS", help="username or address")

    def handle(self, *args: Any, **options: Any) -> None:
        (user,) = find_people([options["user"]])
        Event.objects.record(Event.Kind.EXPORTED, user, by="command")
        self.stdout.write("{", ending="")
        for number, (name, rows) in enumerate(export.PARTS.items()):
            self.stdout.write(f"{',' if number else ''}\n{json.dumps(name)}: ", ending="")
            for line in export.lines(rows(user)):
                self.stdout.write(line, ending="")
        self.stdout.write("}")
