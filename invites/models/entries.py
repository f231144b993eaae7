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
from sso.models import App

# What can become of an entry; each is a field of Counts.
FATES = ("new", "joins", "doubted", "has_account", "invited", "declined", "suppressed", "repeated")
# What a stored row has beside its Entry: the number of its line, the address that was probably meant if this one looks
# like a typo, and one of FATES, as it was at the last check.
NOTES = {"line", "meant", "fate"}
# Where people are led, which each line of a list says whole (invites/batch/leads.py). "groups" are all that somebody
# joins, the app's among them; "chosen", of a list, are those that its author has ticked.
LED = {"app", "next", "groups", "chosen"}


def pack(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """Returns an entry as a batch stores it, without empty values, and with its lifetime in seconds.

    `given` are values for what the entry leaves empty.
    """
    remind = entry.remind and given.get("remind", True)
    said = {name: value for name, value in asdict(entry).items() if value and name != "remind"}
    row = {name: value for name, value in (given | said).items() if value} | ({} if remind else {"remind": False})
    return row | {"lifetime": int(row["lifetime"].total_seconds())} if "lifetime" in row else row


def unpack(row: dict[str, Any]) -> Entry:
    """Returns the Entry of a stored row, without NOTES."""
    said = {name: value for name, value in row.items() if name not in NOTES}
    lifetime = timedelta(seconds=said["lifetime"]) if "lifetime" in said else None
    return Entry(**said | {"groups": tuple(said.get("groups", ())), "lifetime": lifetime})


def groups(rows: Iterable[dict[str, Any]]) -> dict[int, int]:
    """Returns how many of these stored entries join each group that they name, by the id of the group."""
    return dict(Counter(group for row in rows for group in row.get("groups", ())))


def app_names(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Returns the names of the apps that these stored entries name, by id; takes no statement if there are none."""
    named = {row["app"] for row in rows if row.get("app")}
    return dict(App.objects.filter(pk__in=named).values_list("pk", "client__name")) if named else {}


def group_names(ids: Iterable[int]) -> list[str]:
    """Returns the names of the groups with these ids, in their order; takes no statement if there are none."""
    listed = list(ids)
    return list(Group.objects.filter(pk__in=listed).order_by("name").values_list("name", flat=True)) if listed else []


def without_lost_groups(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns these stored entries without groups that were deleted meanwhile."""
    listed = list(rows)
    named = groups(listed)
    if not named:
        return listed
    there = set(Group.objects.filter(pk__in=named).values_list("pk", flat=True))
    return [row | {"groups": [one for one in row.get("groups", ()) if one in there]} for row in listed]


def chosen(rows: Iterable[dict[str, Any]], *, doubted: bool) -> list[dict[str, Any]]:
    """Returns the stored entries to send to: each address once and, without `doubted`, none that may be a typo."""
    return [row for row in rows if row.get("fate") != "repeated" and (doubted or not row.get("meant"))]


def judge(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """Notes in each of these stored entries what would become of it now. Returns how many there are of each fate."""
    listed = list(rows)
    for chunk in batched(chosen(listed, doubted=True), CHUNK):
        sifted = Invite.objects.sift([unpack(row) for row in chunk])
        skipped = {email: reason.value for email, reason in sifted.outcome.skipped}
        for row in chunk:
            row["fate"] = skipped.get(row["email"]) or fate(row, sifted)
    return Counter(dict.fromkeys(FATES, 0) | Counter(row["fate"] for row in listed))


def fate(row: dict[str, Any], sifted: Sifted) -> str:
    """Returns what would become of a stored entry that is not skipped: "new", "joins" or "doubted"."""
    if row.get("meant"):
        return "doubted"
    return "joins" if row["email"] in sifted.joining else "new"
