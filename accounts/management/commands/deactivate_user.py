"""manage.py deactivate_user"""

from typing import ClassVar

from accounts.management import switch_command


class Command(switch_command.Command):
    help = (
        "Turns accounts off, as the desk does: the people are signed out everywhere, cannot sign in, and are mailed. "
        "Nothing of theirs is deleted; reactivate_user turns the accounts on again."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada grace@example.com --dry-run")
    turns_on, word = False, "deactivated"
