"""Notes which mailed links have been opened.

A GET changes nothing in the database (scanners open links, too), so an opening is noted in Redis. Whatever reads the
openings calls gather() first, which moves them into the database. While Redis is away they are lost; only statistics
and the time of a reminder depend on them.
"""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.cache import caches
from django.http import HttpRequest

from invites.models import Invite, MagicLink

NOTED = "opened"  # a sorted set: ids of invitations, and of links without one, by the time they were last opened
GATHERED_AT_ONCE = 500
ID = re.compile(r"[0-9a-f]{32}")  # else somebody has put it there whose notes are none of ours

cache: Any = caches["default"]


def note(request: HttpRequest, opened: MagicLink | Invite) -> None:
    """Notes in Redis that a browser shows the page of a link or an invitation. A prefetch is no opening."""
    if "prefetch" not in request.headers.get("Sec-Purpose", ""):
        subject = opened.subject if isinstance(opened, MagicLink) else opened.pk
        cache.zadd(NOTED, {subject.hex: datetime.now(UTC).timestamp()})


def gather() -> int:
    """Moves the noted openings from Redis into the invitations and links. Returns how many rows it has changed."""
    total = 0
    while noted := cache.zpopmin(NOTED, GATHERED_AT_ONCE):
        times = {UUID(key): datetime.fromtimestamp(at, UTC) for key, at in noted if ID.fullmatch(str(key))}
        invites = [Invite(pk=pk, opened_at=at) for pk, at in times.items()]
        total += Invite.objects.bulk_update(invites, ["opened_at"])
        links = [MagicLink(pk=pk, opened_at=at) for pk, at in times.items()]
        total += MagicLink.objects.filter(invite=None).bulk_update(links, ["opened_at"])
    return total
