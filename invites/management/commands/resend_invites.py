"""manage.py resend_invites: mails unused invitations again."""

from argparse import ArgumentParser
from typing import ClassVar

from invites.management import bulk_command
from invites.management.filters import BOUNCED
from invites.models import RATE, Invite, InviteQuerySet, Outcome, in_step
from kit.commands import arguments

STATE = Invite.State


class Command(bulk_command.Command):
    help = "Sends invitations again that nobody has used; they last 7 days from now, and older links go on working."
    examples: ClassVar[tuple[str, ...]] = (
        "--email grace@example.com",
        "--state expired --older-than 3d --rate 10/s",
        "--state pending --batch b_0193 --dry-run",
    )
    states = (STATE.PENDING.value, STATE.EXPIRED.value, STATE.DECLINED.value, BOUNCED)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        pace = f"how fast the mails leave: 10/s, 600/m (default: {RATE:g}/s)"
        parser.add_argument("--rate", type=arguments.rate, default=RATE, help=pace)

    def before(self) -> None:
        self.leaving = in_step(self.options["rate"])

    def among(self) -> InviteQuerySet:
        return Invite.objects.all() if self.options["state"] == STATE.DECLINED else Invite.objects.open()

    def steer(self, rows: InviteQuerySet) -> Outcome:
        return rows.resend(dry_run=self.options["dry_run"], leaving=self.leaving)
