"""manage.py extend_invites: lets unused invitations work for longer, without a mail."""

from typing import ClassVar

from invites.management import bulk_command
from invites.models import Invite, InviteQuerySet, Outcome


class Command(bulk_command.Command):
    help = "Lets invitations that nobody has used work for 7 more days, from their end or from now; sends no mail."
    examples: ClassVar[tuple[str, ...]] = ("--state expired --batch b_0193", "--email grace@example.com")
    states = (Invite.State.PENDING.value, Invite.State.EXPIRED.value)
    doing, word = "Extending", "extended"

    def among(self) -> InviteQuerySet:
        return Invite.objects.open()

    def steer(self, rows: InviteQuerySet) -> Outcome:
        return rows.extend(dry_run=self.options["dry_run"])
