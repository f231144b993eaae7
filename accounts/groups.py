"""Which groups a person may put others into."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

NAMES = """
SELECT id, name, EXISTS (SELECT FROM auth_group_permissions WHERE group_id = auth_group.id)
FROM "auth_group" WHERE id = ANY(%s) ORDER BY name
"""
WITHOUT_RIGHTS = """
SELECT id, name FROM "auth_group" WHERE name = ANY(%s)
AND NOT EXISTS (SELECT FROM auth_group_permissions WHERE group_id = auth_group.id) ORDER BY name
FOR KEY SHARE OF auth_group
"""
# Groups by name: the id of each that a person may give, None for one that they may not.
Groups = Mapping[str, int | None]


def with_rights() -> QuerySet[Group]:
    """Returns the groups that grant a permission: whoever gives them gives rights at the desk."""
    return Group.objects.filter(Exists(Permission.objects.filter(group=OuterRef("pk"))))


def givable(user: Any) -> QuerySet[Group]:
    """Returns the groups that the person may put others into, by invitation: those that grant nothing.

    A superuser may give all. Whether the person may invite at all is asked elsewhere. None, for a command, may give
    what a superuser may.
    """
    if user is None or user.is_superuser:
        return Group.objects.all()
    return Group.objects.exclude(pk__in=with_rights().values("pk"))


def names(ids: Collection[int], *, hold: bool = False) -> list[tuple[int, str, bool]]:
    """Returns id and name of each of the groups with these ids, and whether it grants a permission, by name.

    Groups that were deleted are left out. With `hold` the others can't be deleted until the caller's transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{NAMES} FOR KEY SHARE OF auth_group" if hold else NAMES, [list(ids)])
        return cursor.fetchall()


def hold_without_rights(named: Collection[str]) -> dict[int, str]:
    """Returns the names of those groups with these names that grant no permission, by id, in the order of the names.

    None of them can be deleted until the caller's transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_RIGHTS, [list(named)])
        return dict(cursor.fetchall())


def named(user: Any) -> Groups:
    """Returns all groups by name: the id of each that the person may give, as givable() says, else None."""
    may = set(givable(user).values_list("pk", flat=True))
    return {name: pk if pk in may else None for pk, name in Group.objects.values_list("pk", "name")}


def grant_power(groups: Collection[int]) -> bool:
    """Returns whether one of the groups with these ids grants a permission. Costs no statement without ids."""
    return bool(groups) and with_rights().filter(pk__in=groups).exists()
