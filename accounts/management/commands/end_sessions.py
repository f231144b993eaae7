"""manage.py end_sessions"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError

from accounts.management.people import find_people
from accounts.models import Session, User
from accounts.models.queryset import UserQuerySet
from kit.commands import arguments, command


class Command(command.Command):
    help = "Ends sessions: all of some people, a few of theirs, or those of everybody. It takes effect at once."
    examples: ClassVar[tuple[str, ...]] = (
        "--user ada grace@example.com",
        "--user ada --session 5f0c2a9be1d84c37",
        "--all --dry-run",
        "--all --yes-all",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", metavar="NAME|ADDRESS", nargs="+", help="usernames or addresses")
        whom.add_argument("--all", action="store_true", help="everybody, after a question")
        handles = "with --user: only these sessions, by the handles that list_sessions shows"
        parser.add_argument("--session", metavar="HANDLE", nargs="+", help=handles)
        parser.add_argument("--yes-all", action="store_true", help="do not ask before signing everybody out")
        parser.add_argument(
            "--noinput", "--no-input", action="store_true", dest="no_input", help="fail instead of asking"
        )
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        people = User.objects.all()
        if not options["all"]:
            people = people.filter(pk__in=[user.pk for user in find_people(options["user"])])
        if options["session"]:
            report = self.end_some(people, options["session"], everybody=options["all"])
        else:
            report = self.end_all(people, options)
        sessions, people_named = report["sessions"], command.number_of(report["people"], "person", "people")
        noun = "session" if sessions == 1 else "sessions"
        self.tell(report, f"{command.count_in_words(sessions)} {noun} of {people_named} ended")

    def end_some(self, people: UserQuerySet, handles: list[str], *, everybody: bool) -> dict[str, int]:
        """Ends the sessions of these people with these handles, records each, and returns the report.

        With --dry-run only counts them. Raises CommandError (exit code 2), and ends none, if one of the handles belongs
        to no live session of theirs, or with `everybody`.
        """
        if everybody:
            raise CommandError("--session needs --user. Nothing was changed.", returncode=2)
        found = {row.handle: row.user_id for row in Session.objects.live().filter(user__in=people, handle__in=handles)}
        if unknown := [handle for handle in handles if handle not in found]:
            said = f"There is no session {', '.join(unknown)}; it may have ended. Nothing was changed."
            raise CommandError(said, returncode=2)
        if not self.options["dry_run"]:
            for handle in found:
                Session.objects.filter(user__in=people).end(handle, by="command")
        return {"people": len(set(found.values())), "sessions": len(found)}

    def end_all(self, people: UserQuerySet, options: dict[str, Any]) -> dict[str, int]:
        """Ends all sessions of these people, with --all after a question, and returns the report."""
        report = {
            "people": command.count_rows(people),
            "sessions": command.count_rows(self.sessions(people, everybody=options["all"])),
        }
        if options["all"] and not (options["dry_run"] or options["yes_all"]):
            question = f"Sign everybody out, {command.count_in_words(report['people'])} people?"
            self.sure(question, "--yes-all", may_ask=not options["no_input"])
        if not options["dry_run"]:
            report["people"] = self.end(people, everybody=options["all"])
        return report

    def sessions(self, people: UserQuerySet, *, everybody: bool) -> Any:
        """Returns the live sessions of these people; of all users, whoever `people` are, with `everybody`."""
        live = Session.objects.live()
        return live.filter(user__isnull=False) if everybody else live.filter(user__in=people)

    def end(self, people: UserQuerySet, *, everybody: bool) -> int:
        """Ends all sessions of these people, and returns how many people they are.

        With `everybody` this takes two statements, and records no events. Otherwise it records an event for each
        person, and deletes the copies of their sessions in Redis.
        """
        if everybody:
            return people.end_sessions()
        ended = list(people)
        for user in ended:
            user.sign_out(by="command")
        return len(ended)
