"""manage.py revoke_invites: withdraws unused invitations and, for one address, the links it asked for."""

from argparse import ArgumentParser
from typing import ClassVar
from uuid import UUID

from django.core.management.base import CommandError

from invites.management import bulk_command
from invites.management.report import Report
from invites.models import Invite, InviteQuerySet, MagicLink, Outcome
from kit.commands.command import count_in_words, count_rows


class Command(bulk_command.Command):
    help = "Withdraws invitations that nobody has used: their links stop working at once, and waiting mail is not sent."
    examples: ClassVar[tuple[str, ...]] = (
        "--batch b_0193 --dry-run",
        "--email grace@example.com --no-input",
        "--state pending --older-than 30d",
    )
    states = (Invite.State.PENDING.value, Invite.State.EXPIRED.value)
    doing, word = "Withdrawing", "withdrawn"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="all that are open")
        parser.add_argument("--noinput", "--no-input", action="store_true", dest="no_input", help="do not ask")

    def before(self) -> None:
        if not (self.filters.given or self.options["all"]):
            raise CommandError("Which? Narrow it down, or say --all. Nothing was changed.", returncode=2)
        if not (self.options["dry_run"] or self.options["no_input"]):
            limit = self.options["limit"]
            count = count_rows(self.filters.rows(self.among()), limit)
            many = count_in_words(count + len(self.links(None if limit is None else limit - count)))
            self.sure(f"Withdraw {many} invitations? Their links stop working straight away.", "--no-input")

    def among(self) -> InviteQuerySet:
        return Invite.objects.open()

    def work(self, report: Report) -> None:
        super().work(report)
        if not report.stopped:
            self.end_links(report)

    def end_links(self, report: Report) -> None:
        """Withdraws the working links of the address that --email names, and counts them in the report.

        Takes as many as --limit leaves. With --dry-run only counts them. Does nothing if other filters narrow the
        choice.
        """
        limit = self.options["limit"]
        ids = self.links(None if limit is None else limit - report.rows)
        if not self.options["dry_run"]:
            ids = MagicLink.objects.filter(pk__in=ids).revoke()
        report.add(Outcome(done=ids))

    def links(self, most: int | None) -> list[UUID]:
        """Returns the ids of working links that the address of --email asked for, and of its owner links.

        They are at most `most`, or all for None. Another person may have got hold of them. Returns [] unless --email is
        the only filter: the others choose invitations.
        """
        if self.filters.given.keys() != {"email"}:
            return []
        links = MagicLink.objects.pending().asked_for().filter(email=self.filters.given["email"]).order_by("pk")
        return list(links.values_list("pk", flat=True)[:most])

    def steer(self, rows: InviteQuerySet) -> Outcome:
        return rows.revoke(dry_run=self.options["dry_run"])
