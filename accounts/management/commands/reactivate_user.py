"""manage.py reactivate_user"""

from typing import ClassVar

from accounts.management import switch_command


class Command(switch_command.Command):
    help = (
        "Turns accounts on again that were turned off by deactivate_user, at the desk or by a report of their owner. "
        "The people can sign in as before, and are mailed."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada grace@example.com --dry-run")
    turns_on, word = True, "reactivated"
