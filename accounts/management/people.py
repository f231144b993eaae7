"""The users whom a command line names."""

from collections.abc import Iterable

from django.core.management.base import CommandError

from accounts.models import User


def find_people(logins: Iterable[str]) -> list[User]:
    """Returns the users with these usernames or addresses, each of them once.

    Raises CommandError, which lists the unknown ones, if any of `logins` belongs to no user.
    """
    people = {login: User.objects.by_login(login) for login in logins}
    if unknown := [login for login, user in people.items() if user is None]:
        raise CommandError(f"There is nobody called {', '.join(unknown)}. Nothing was changed.", returncode=2)
    return list({user.pk: user for user in people.values() if user}.values())
