"""manage.py rotate_signing_key"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from kit import times
from kit.commands import arguments, command
from sso import keys


class Command(command.Command):
    help = (
        "Makes a new key, which signs what apps are told of people. Apps can fetch it at once, it signs in an hour; "
        "the one before stays published until all that it signed is over, and a day longer. Nothing needs a restart, "
        "and nobody notices. If somebody may have read the database and ENCRYPTION_KEY, run it with --now: until apps "
        "have fetched the new key, most at once, others within minutes, they refuse sign-ins. Whoever the stolen key "
        "let into an app is still in: end all sessions there by its own means, and those that came from here by "
        "end_app_sessions ID."
    )
    examples: ClassVar[tuple[str, ...]] = ("", "--now", "--format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="all other keys are worth nothing from this moment on")
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        made = keys.replace() if options["now"] else keys.rotate()
        self.tell({"signs_from": made.signs_from}, f"A new key signs from {times.iso(made.signs_from)} on")
