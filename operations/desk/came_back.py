"""Invitations whose mail did not arrive, and what mail servers mostly said: for one line on the desk's home."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import get_language

from invites.models import Invite
from kit.addresses import readable
from operations.desk.remembered import remembered
from outbox.models import OutboxMessage
from outbox.replies_in_words import reason

REMEMBERED = 30  # seconds


@dataclass(frozen=True)
class CameBack:
    """How many pending invitations came back or were given up, and the commonest reason of one domain."""

    count: int = 0
    why: str = ""
    domain: str = ""


def look() -> CameBack:
    """Returns what came back, up to 30 seconds old, with the reason in the active language."""
    return remembered(f"came-back:{get_language()}", REMEMBERED, read, count)


def read(stored: Any) -> CameBack:
    """Returns what was stored. Raises TypeError, ValueError or KeyError for anything else."""
    return CameBack(int(stored["count"]), str(stored["why"]), str(stored["domain"]))


def count() -> dict[str, Any]:
    """Counts what came back, in one statement, which looks no further than InviteQuerySet.in_trouble()."""
    about = Invite.objects.undelivered().values("pk")
    newest = OutboxMessage.objects.filter(about__in=about).order_by("about", "-id").distinct("about")
    returned = list(newest.values_list("recipient", "last_answer"))
    if not returned:
        return asdict(CameBack())
    said = Counter((reason(answer), readable(recipient).rpartition("@")[2]) for recipient, answer in returned)
    return asdict(CameBack(len(returned), *said.most_common(1)[0][0]))
