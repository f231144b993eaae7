"""People of a list as the `entries` of its batch store them: each an Entry, in JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import batched
from typing import Any

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


def fates(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """Returns how many of these stored entries would be invited or left out now: a number for each name of FATES."""
    found = Counter(dict.fromkeys(FATES, 0))
    for chunk in batched(rows, CHUNK):
        outcome, chosen = Invite.objects.sift([unpack(row) for row in chunk])
        doubted = sum(1 for row in chunk if row.get("meant") and row["email"] in chosen)
        found.update(reason.value for _email, reason in outcome.skipped)
        found.update(new=len(chosen) - doubted, doubted=doubted)
    return found
