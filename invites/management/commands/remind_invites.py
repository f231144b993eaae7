"""manage.py remind_invites: mails reminders that are due; to be run by a timer."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from invites.link import opens
from invites.management import bulk_command
from invites.management.report import Report
from invites.models import Invite, InviteQuerySet, Outcome
from kit.commands import arguments


class Command(bulk_command.Command):
    help = (
        "Sends the planned reminders that are due: by default one, 2 days before an invitation ends (a short one: in "
        "its middle). It waits if the invitation was sent or opened within the last day. Run it every hour; nobody is "
        "reminded twice within a day."
    )
    examples: ClassVar[tuple[str, ...]] = ("", "--dry-run", "--format json")
    doing = "Reminding"
    onwards = "Run it again to go on."
    suppressed_fail = False  # else the timer that runs this would fail every hour for the same address

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=arguments.count, metavar="N", help="at most N of them")
        Report.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        everything = dict.fromkeys(("email", "state", "older_than", "batch", "source", "group", "app", "after_id"))
        super().handle(*args, **everything | options)

    def before(self) -> None:
        if not self.options["dry_run"]:
            opens.gather()

    def among(self) -> InviteQuerySet:
        return Invite.objects.remindable()

    def steer(self, rows: InviteQuerySet) -> Outcome:
        return rows.remind(dry_run=self.options["dry_run"])
