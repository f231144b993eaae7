"""Whether a mailed link has been opened.

A GET changes nothing in the database (scanners open links, too), so an opening is noted in Redis, and gathered from
there by whoever wants to know. Openings are forgotten while Redis is away; nothing but statistics depends on them.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.cache import caches
from django.http import HttpRequest

from invites.models import Invite, MagicLink

NOTED = "opened"  # a sorted set: ids of invitations, and of links without one, by the time they were last opened
GATHERED_AT_ONCE = 500

cache: Any = caches["default"]


def note(request: HttpRequest, opened: MagicLink | Invite) -> None:
    """Remembers that a browser shows the page behind a link; what only fetches it ahead shows nothing."""
    if "prefetch" not in request.headers.get("Sec-Purpose", ""):
        subject = opened.subject if isinstance(opened, MagicLink) else opened.pk
        cache.zadd(NOTED, {subject.hex: datetime.now(UTC).timestamp()})


def gather() -> int:
    """Writes what was noted into the invitations and links; says how many were opened."""
    total = 0
    while noted := cache.zpopmin(NOTED, GATHERED_AT_ONCE):
        times = {UUID(key): datetime.fromtimestamp(at, UTC) for key, at in noted}
        invites = [Invite(pk=pk, opened_at=at) for pk, at in times.items()]
        total += Invite.objects.bulk_update(invites, ["opened_at"])
        links = [MagicLink(pk=pk, opened_at=at) for pk, at in times.items()]
        total += MagicLink.objects.filter(invite=None).bulk_update(links, ["opened_at"])
    return total
