"""Who is in a list, as the row of its batch keeps them: an Entry each, in JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import batched
from typing import Any

from invites.models.invite import Invite
from invites.models.lifecycle import CHUNK
from invites.models.queryset import Entry

FATES = ("new", "doubted", "has_account", "invited", "suppressed")  # of an entry; names of Counts


def packed(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """An entry as the row keeps it: without what is empty."""
    said = {name: value for name, value in asdict(entry).items() if value}
    return {name: value for name, value in (given | said).items() if value}


def unpacked(row: dict[str, Any]) -> Entry:
    return Entry(**{name: value for name, value in row.items() if name not in {"meant", "line"}})


def fates(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """How many of these would be invited or left out today, by all names of FATES."""
    found = Counter(dict.fromkeys(FATES, 0))
    for chunk in batched(rows, CHUNK):
        outcome, chosen = Invite.objects.sift([unpacked(row) for row in chunk])
        doubted = sum(1 for row in chunk if row.get("meant") and row["email"] in chosen)
        found.update(reason.value for _email, reason in outcome.skipped)
        found.update(new=len(chosen) - doubted, doubted=doubted)
    return found
