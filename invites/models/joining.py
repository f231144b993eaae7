"""People who have an account already, and are invited into groups."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from accounts.models import User


def accounts_of(emails: Iterable[str]) -> dict[str, Any]:
    """Returns the accounts with these addresses by address, with the groups that each is in, in one statement.

    They hold what their mail needs, and `in_groups`, the ids of their groups.
    """
    theirs = User.groups.through.objects.filter(user=OuterRef("pk")).values("group")
    rows = User.objects.filter(email__in=list(emails)).annotate(in_groups=ArraySubquery(theirs))
    read = ("email", "username", "settings", "is_active", "leaves_at", "session_epoch")
    return {user.email: user for user in rows.only(*read)}


def lacks(account: Any, groups: Collection[int]) -> bool:
    """Returns whether the account of accounts_of() is usable and is not in all of these groups."""
    return bool(account.is_usable and not set(groups) <= set(account.in_groups))
