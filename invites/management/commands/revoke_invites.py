"""manage.py revoke_invites"""

from argparse import ArgumentParser
from typing import ClassVar

from django.core.management.base import CommandError

from invites.management import bulk_command
from invites.models import Invite, InviteQuerySet, Outcome
from kit.commands.command import counted, said


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
            many = said(counted(self.filters.rows(self.among()), self.options["limit"]))
            self.sure(f"Withdraw {many} invitations? Their links stop working straight away.", "--no-input")

    def among(self) -> InviteQuerySet:
        """What people asked for themselves only when it is meant: they would wonder."""
        rows = Invite.objects.open().for_staff()
        meant = self.options["email"] or self.options["source"]
        return rows if meant else rows.exclude(source__in=[Invite.Source.SELF, Invite.Source.OWNER])

    def steer(self, rows: InviteQuerySet) -> Outcome:
        return rows.revoke(dry_run=self.options["dry_run"])
