"""manage.py retry_mail"""

from argparse import ArgumentParser
from collections import Counter
from typing import Any, ClassVar

from django.core.management.base import CommandError

from kit.commands import arguments, command, prompts
from outbox.mail.retry import Outcome, retry
from outbox.models import OutboxMessage
from outbox.models.queryset import OutboxQuerySet


class Command(command.Command):
    help = (
        "Makes waiting mail due now or, with --given-up, mail that was given up, which is then tried for three more "
        "days. Run it when a mail server is back, or has been told to accept our mail; mail_queue shows its answers."
    )
    examples: ClassVar[tuple[str, ...]] = ("--all", "--email grace@example.com", "--given-up --limit 100 --dry-run")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help="only mail to this address")
        parser.add_argument(
            "--given-up",
            action="store_true",
            help="mail that was given up; with --email or --all, also mail that waits",
        )
        parser.add_argument("--all", action="store_true", help="all mail that waits")
        parser.add_argument("--limit", type=arguments.count, help="at most this many, the oldest first")
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["email"] is not None:
            options["email"] = prompts.address(options["email"])
        elif not (options["given_up"] or options["all"]):
            raise CommandError("Which? Give --email ADDRESS, --given-up or --all.", returncode=2)
        outcomes = retry(self.select(options), dry_run=options["dry_run"])
        if options["email"] and not outcomes:
            self.stderr.write(self.nothing(**options))
        queued = outcomes.pop(Outcome.QUEUED, 0)
        self.tell({"queued": queued, "skipped": outcomes}, summary(queued, outcomes))

    def select(self, options: dict[str, Any]) -> OutboxQuerySet:
        """Returns the mail that --email, --given-up and --all name, oldest first and at most --limit of it."""
        rows = OutboxMessage.objects.none()
        if options["email"] or options["all"]:
            rows |= OutboxMessage.objects.waiting()
        if options["given_up"]:
            rows |= OutboxMessage.objects.given_up()
        if options["email"]:
            rows = rows.filter(recipient=options["email"])
        return rows.order_by("id")[: options["limit"]]

    def nothing(self, *, email: str, given_up: bool, **_options: Any) -> str:
        """Returns the sentence for an address without mail to retry; it names what to run instead."""
        if not given_up and OutboxMessage.objects.given_up().filter(recipient=email).exists():
            return f"No mail to {email} waits. Some was given up; for that add --given-up."
        return f"No mail to {email} waits. What became of it: mail_queue --email {email}"


def summary(queued: int, skipped: Counter[str]) -> str:
    """Returns the result in words: "3 queued, 1 skipped (1 handed over already)". `skipped` counts each Outcome."""
    reasons = ", ".join(f"{number} {Outcome(outcome).label}" for outcome, number in skipped.items())
    return f"{queued} queued, {skipped.total()} skipped" + (f" ({reasons})" if reasons else "")
