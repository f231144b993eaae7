"""People of a list as the `entries` of its batch store them: each an Entry, in JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import batched
from typing import Any

from django.contrib.auth.models import Group

from invites.models.invite import Invite
from invites.models.lifecycle import CHUNK
from invites.models.queryset import Entry

# What can become of an entry; each is a field of Counts.
FATES = ("new", "doubted", "has_account", "invited", "suppressed")


def pack(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """Returns an entry as a batch stores it, without empty values.

    `given` are values for what the entry leaves empty.
    """
    said = {name: value for name, value in asdict(entry).items() if value}
    return {name: value for name, value in (given | said).items() if value}


def unpack(row: dict[str, Any]) -> Entry:
    """Returns the Entry of a stored row, without the notes on a likely typo ("meant" and "line")."""
    return Entry(**{name: value for name, value in row.items() if name not in {"meant", "line"}})


def groups(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Returns how many of these stored entries join each group that they name, by the name of the group.

    Groups that were deleted meanwhile are left out.
    """
    found = Counter(row["group_id"] for row in rows if row.get("group_id"))
    names = Group.objects.filter(pk__in=found).order_by("name").values_list("name", "pk") if found else ()
    return {name: found[pk] for name, pk in names}


def without_lost_groups(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns these stored entries, those whose group was deleted meanwhile without a group."""
    listed = list(rows)
    named = {row["group_id"] for row in listed if row.get("group_id")}
    lost = named - set(Group.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    return [row | {"group_id": None} if row.get("group_id") in lost else row for row in listed]


def fates(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """Returns how many of these stored entries would be invited or left out now: a number for each name of FATES."""
    found = Counter(dict.fromkeys(FATES, 0))
    for chunk in batched(rows, CHUNK):
        outcome, chosen = Invite.objects.sift([unpack(row) for row in chunk])
        doubted = sum(1 for row in chunk if row.get("meant") and row["email"] in chosen)
        found.update(reason.value for _email, reason in outcome.skipped)
        found.update(new=len(chosen) - doubted, doubted=doubted)
    return found
