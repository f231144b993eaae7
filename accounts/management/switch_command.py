"""The base of the commands that turn accounts off, and on again, as the desk does."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.db import transaction

from accounts import notices, power
from accounts.management.people import find_people
from accounts.models import User
from kit.commands import arguments, command


class Command(command.Command):
    """A command that turns the accounts it names on or off, mails their owners, and ends with a report.

    Each command says in `turns_on` what it does, and in `word` how the report calls that.
    """

    turns_on: ClassVar[bool]
    word: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", metavar="USER", nargs="+", help="usernames or addresses")
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        people = find_people(options["users"])
        able = [person for person in people if person.is_active != self.turns_on]
        done = able if options["dry_run"] else self.switch_all(able)
        report = {"people": len(people), self.word: len(done)}
        self.tell(report, f"{len(done)} of {command.number_of(len(people), 'person', 'people')} {self.word}")

    def switch_all(self, people: list[User]) -> list[User]:
        """Turns these accounts on or off, and returns those that it did. Other superusers are mailed of staff at once.

        If it is interrupted, it has told them of all that was done before.
        """
        done: list[User] = []
        try:
            for person in people:
                if self.switch(person):
                    done.append(person)  # noqa: PERF401 an error must not lose those before
        finally:
            with transaction.atomic():
                changed = {"is_active": [not self.turns_on, self.turns_on]}
                power.record_command(list(filter(power.is_powerful, done)), changed)
        return done

    @transaction.atomic
    def switch(self, person: User) -> bool:
        """Turns an account on or off, records it, and mails its owner.

        Returns False, and does nothing, if that was done meanwhile or the account was deleted.
        """
        held = User.objects.select_for_update().filter(pk=person.pk, is_active=not self.turns_on).first()
        if held is None:
            return False
        turn = held.turn_on if self.turns_on else held.turn_off
        turn(by="command")
        notices.mail_staff_changes(held, {"is_active": not self.turns_on}, {"is_active": self.turns_on})
        return True
