"""Whether a mailed link has been opened.

A GET changes nothing in the database (scanners open links, too), so an opening is noted in Redis, and gathered from
there by whoever wants to know. Openings are forgotten while Redis is away; nothing but statistics depends on them.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.cache import caches
from django.http import HttpRequest

from invites.models import Invite

NOTED = "opened"  # a sorted set: ids of invites by the time they were last opened
GATHERED_AT_ONCE = 500

cache: Any = caches["default"]


def note(request: HttpRequest, invite: Invite) -> None:
    """Remembers that a browser shows the page behind a link; what only fetches it ahead shows nothing."""
    if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        cache.zadd(NOTED, {invite.pk.hex: datetime.now(UTC).timestamp()})


def gather() -> int:
    """Writes what was noted into the invites; says how many were opened."""
    total = 0
    while noted := cache.zpopmin(NOTED, GATHERED_AT_ONCE):
        opened = [Invite(pk=UUID(key), opened_at=datetime.fromtimestamp(at, UTC)) for key, at in noted]
        total += Invite.objects.bulk_update(opened, ["opened_at"])
    return total
