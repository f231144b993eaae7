"""manage.py end_sessions"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Session, User
from accounts.models.queryset import UserQuerySet


class Command(BaseCommand):
    help = "Signs people out on all their devices: one person, or everybody. It takes effect at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", metavar="NAME", nargs="+", help="usernames or addresses")
        whom.add_argument("--all", action="store_true", help="everybody; asks first")
        parser.add_argument("--no-input", action="store_true", help="do not ask")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        people = User.objects.all() if options["all"] else self.named(options["user"])
        report = {
            "command": "end_sessions",
            "dry_run": options["dry_run"],
            "people": people.count(),
            "sessions": Session.objects.live().filter(user__in=people).count(),
        }
        if options["all"] and not (options["dry_run"] or options["no_input"]):
            self.ask(report["people"])
        if not options["dry_run"]:
            self.end(people, everybody=options["all"])
        said = "{dry}{sessions} sessions of {people} people ended".format(
            dry="DRY RUN  " if report["dry_run"] else "", **report
        )
        self.stdout.write(json.dumps(report) if options["format"] == "json" else said)

    def named(self, logins: list[str]) -> UserQuerySet:
        people = {login: User.objects.by_login(login) for login in logins}
        if unknown := [login for login, user in people.items() if user is None]:
            raise CommandError(f"There is nobody called {', '.join(unknown)}. Nobody was signed out.", returncode=2)
        return User.objects.filter(pk__in=[user.pk for user in people.values() if user])

    def ask(self, people: object) -> None:
        if not sys.stdin.isatty():
            raise CommandError("To sign everybody out without being asked, add --no-input.", returncode=2)
        if input(f"Sign out all {people} people? [y/N] ").strip().lower() != "y":
            raise CommandError("Nobody was signed out.")

    def end(self, people: UserQuerySet, *, everybody: bool) -> None:
        """For everybody two statements and no event each; for a few with the clean-up and history of the page."""
        if everybody:
            people.end_sessions()
            return
        for user in people:
            user.sign_out(by="staff")
