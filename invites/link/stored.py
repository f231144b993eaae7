"""The stored row of a mailed link, with all that its state depends on. Each look at a link and each press reads it."""

from typing import Any

from django.db.models import UUIDField

from invites.models import MagicLink
from kit.prepared import Given, Prepared

OWNER = MagicLink.Purpose.OWNER


def read(pk: Any, *, is_owner: bool = False) -> MagicLink:
    """Returns the link with this id, its invitation with inviter and groups, and who used it, in one statement.

    `is_owner` chooses between owner links and all others. Raises ValidationError for a malformed id, and
    MagicLink.DoesNotExist where there is no such link or its person has left.
    """
    found = (OWNERS if is_owner else OTHERS).read(pk=pk)
    if not found:
        raise MagicLink.DoesNotExist
    link: Any = found[0]
    if link.invite:
        link.invite.group_ids = link.invite_groups
    return found[0]


def prepare(links: Any) -> Prepared[MagicLink]:
    """Returns a query that reads the one of `links` whose id is given as `pk`, unless its person has left."""
    rows = links.with_spent().with_staff_invite().with_groups().select_related("used_by", "invite__invited_by")
    return Prepared(lambda: rows.exclude(email="").filter(pk=Given("pk", UUIDField())))


OWNERS = prepare(MagicLink.objects.filter(purpose=OWNER))
OTHERS = prepare(MagicLink.objects.exclude(purpose=OWNER))
