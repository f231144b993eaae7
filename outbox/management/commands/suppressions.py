"""manage.py suppressions"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import timezone

from kit.commands import arguments, command, prompts
from kit.commands.command import SOME_FAILED, number_of
from kit.times import iso
from outbox.models import Suppression
from outbox.models.suppression import SuppressionQuerySet

CAUSES = {"bounce": "mail came back", "wish": "the owner asked never to be written to"}


class Command(command.Command):
    help = (
        "Lists the addresses that no mail goes to, the newest first, and why; with --lift lets mail go to some again. "
        "An address whose owner asked never to be written to is stored as a hash: --email finds it, and only a link in "
        "a mail to its owner lifts it."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "",
        "--cause bounce --older-than 30d --format json",
        "--email grace@example.com",
        "--lift grace@example.com ada@example.com --dry-run",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help="only this address")
        causes = ", ".join(f"{cause}: {words}" for cause, words in CAUSES.items())
        parser.add_argument("--cause", choices=CAUSES, help=f"only those for this reason ({causes})")
        older = "only those that get no mail for longer: 3d, 12h, 90m"
        parser.add_argument("--older-than", type=arguments.age, metavar="AGE", help=older)
        parser.add_argument(
            "--limit", type=arguments.count, default=1000, metavar="N", help="at most N of them (default: 1000)"
        )
        lift = "let mail go to these addresses again; the options that choose what is listed do not count then"
        parser.add_argument("--lift", nargs="+", metavar="ADDRESS", help=lift)
        arguments.rehearsal(parser, "with --lift: say what would be done, and do nothing")
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["lift"]:
            self.lift(list(dict.fromkeys(map(prompts.address, options["lift"]))))
        else:
            self.show_chosen()

    def show_chosen(self) -> None:
        """Prints the suppressions that the options choose; on stderr, whether there are more."""
        limit, email = self.options["limit"], self.options["email"]
        email = None if email is None else prompts.address(email)
        rows = list(self.choose(email).order_by("-pk")[: limit + 1])
        report = [as_dict(row, email) for row in rows[:limit]]
        self.show({"suppressions": report}, "\n".join(map(as_line, report)))
        if len(rows) > limit:
            self.stderr.write("There are more. --limit shows them.")
        elif not rows:
            self.stderr.write("No such address is suppressed.")

    def choose(self, email: str | None) -> SuppressionQuerySet:
        """Returns the suppressions that --cause and --older-than choose, among those of `email` if it is given."""
        rows = Suppression.objects.all() if email is None else Suppression.objects.to([email])
        if self.options["cause"]:
            rows = rows.filter(recipient__isnull=self.options["cause"] == "wish")
        if self.options["older_than"]:
            rows = rows.filter(created_at__lt=timezone.now() - self.options["older_than"])
        return rows

    def lift(self, emails: list[str]) -> None:
        """Lifts the suppressions of these addresses, but no wish of an owner, and prints how many.

        Raises CommandError (exit code 3) if some of them get no mail all the same.
        """
        named = Suppression.objects.filter(recipient__in=emails)
        lifted = list(named.values_list("recipient", flat=True)) if self.options["dry_run"] else named.lift()
        wishes = Suppression.objects.filter(recipient=None).among(emails)
        done = [email for email in emails if email in lifted and email not in wishes]
        for email in emails:
            if email in wishes:
                why = f"{wishes[email].explanation}; only a link in a mail to them takes that back"
                self.stderr.write(f"{email}: {why}.")
            elif email not in done:
                self.stderr.write(f"{email}: mail goes there already.")
        self.tell({"lifted": done, "kept": list(wishes)}, f"mail goes to {addresses(len(done))} again")
        if wishes:
            raise CommandError(f"{addresses(len(wishes))} not lifted", returncode=SOME_FAILED)


def addresses(number: int) -> str:
    return number_of(number, "address", "addresses")


def as_dict(row: Suppression, email: str | None) -> dict[str, Any]:
    """Returns what --format json says of a suppression.

    `email` is the address it was looked for by: of an owner's wish only a hash is stored.
    """
    cause = "wish" if row.is_opt_out else "bounce"
    return {"email": row.recipient or email, "cause": cause, "since": row.created_at, "reason": row.reason}


def as_line(said: dict[str, Any]) -> str:
    """Returns the line for people about a suppression, as as_dict() returns it."""
    why = said["reason"] or CAUSES[said["cause"]]
    return f"{said['email'] or '(kept only as a hash)'}  since {iso(said['since'])}  {why}"
