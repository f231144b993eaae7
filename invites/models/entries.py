"""People of a list as the `entries` of its batch store them: each an Entry, in JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from itertools import batched
from typing import Any

from django.contrib.auth.models import Group

from invites.models.invite import Invite
from invites.models.lifecycle import CHUNK
from invites.models.queryset import Entry, Sifted

# What can become of an entry; each is a field of Counts.
FATES = ("new", "joins", "doubted", "has_account", "invited", "suppressed")


def pack(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """Returns an entry as a batch stores it, without empty values, and with its lifetime in seconds.

    `given` are values for what the entry leaves empty.
    """
    said = {name: value for name, value in asdict(entry).items() if value}
    row = {name: value for name, value in (given | said).items() if value}
    return row | {"lifetime": int(row["lifetime"].total_seconds())} if "lifetime" in row else row


def unpack(row: dict[str, Any]) -> Entry:
    """Returns the Entry of a stored row, without the notes on a likely typo ("meant" and "line")."""
    said = {name: value for name, value in row.items() if name not in {"meant", "line"}}
    lifetime = timedelta(seconds=said["lifetime"]) if "lifetime" in said else None
    return Entry(**said | {"groups": tuple(said.get("groups", ())), "lifetime": lifetime})


def groups(rows: Iterable[dict[str, Any]]) -> dict[int, int]:
    """Returns how many of these stored entries join each group that they name, by the id of the group."""
    return dict(Counter(group for row in rows for group in row.get("groups", ())))


def without_lost_groups(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns these stored entries without groups that were deleted meanwhile."""
    listed = list(rows)
    named = groups(listed)
    if not named:
        return listed
    there = set(Group.objects.filter(pk__in=named).values_list("pk", flat=True))
    return [row | {"groups": [one for one in row.get("groups", ()) if one in there]} for row in listed]


def fates(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """Returns how many of these stored entries would be invited or left out now: a number for each name of FATES."""
    found = Counter(dict.fromkeys(FATES, 0))
    for chunk in batched(rows, CHUNK):
        sifted = Invite.objects.sift([unpack(row) for row in chunk])
        found.update(reason.value for _email, reason in sifted.outcome.skipped)
        found.update(fate(row, sifted) for row in chunk if row["email"] in sifted.chosen)
    return found


def fate(row: dict[str, Any], sifted: Sifted) -> str:
    """Returns what would become of a stored entry that is not skipped: "new", "joins" or "doubted"."""
    if row.get("meant"):
        return "doubted"
    return "joins" if row["email"] in sifted.joining else "new"
