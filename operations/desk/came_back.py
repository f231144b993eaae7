"""Invitations whose mail did not arrive, and what mail servers said: for one line on the desk's home."""

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
NAMED = 3  # reasons, the commonest first


@dataclass(frozen=True)
class CameBack:
    """How many pending invitations came back or were given up, and the commonest reasons, each with its number.

    `domain` is that of all of them, if they share reason and domain; else "".
    """

    count: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    domain: str = ""


def look() -> CameBack:
    """Returns what came back, up to 30 seconds old, with the reasons in the active language."""
    return remembered(f"came-back-why:{get_language()}", REMEMBERED, read, count)


def read(stored: Any) -> CameBack:
    """Returns what was stored. Raises TypeError, ValueError or KeyError for anything else."""
    reasons = tuple((str(why), int(number)) for why, number in stored["reasons"])
    return CameBack(int(stored["count"]), reasons, str(stored["domain"]))


def count() -> dict[str, Any]:
    """Counts what came back, in one statement, which looks no further than InviteQuerySet.in_trouble()."""
    about = Invite.objects.undelivered().values("pk")
    newest = OutboxMessage.objects.filter(about__in=about).order_by("about", "-id").distinct("about")
    returned = [
        (reason(answer), readable(recipient).rpartition("@")[2])
        for recipient, answer in newest.values_list("recipient", "last_answer")
    ]
    common = Counter(why for why, _domain in returned).most_common(NAMED)
    domain = returned[0][1] if len(set(returned)) == 1 else ""
    return asdict(CameBack(len(returned), tuple(common), domain))
