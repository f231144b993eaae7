"""Who invited whom."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

DEPTH = 5  # generations, above and below
PEOPLE = 500  # below
COUNTED = 1000  # invitations of one person

# By the invitation that somebody joined by; who has an account may accept others later, in a circle even.
TREE = """
WITH RECURSIVE up (id, depth, path) AS (
  SELECT %(id)s::uuid, 0, ARRAY[%(id)s::uuid]
  UNION ALL
  SELECT parent.id, up.depth - 1, up.path || parent.id
  FROM up CROSS JOIN LATERAL (
    SELECT invite.invited_by_id AS id
    FROM invites_invite invite JOIN accounts_user person ON person.id = invite.accepted_by_id
    WHERE invite.accepted_by_id = up.id AND invite.invited_by_id IS NOT NULL AND person.joined_at >= invite.created_at
    ORDER BY invite.id LIMIT 1
  ) parent
  WHERE up.depth > -%(depth)s AND parent.id <> ALL(up.path)
), down (id, parent, depth, path) AS (
  SELECT %(id)s::uuid, NULL::uuid, 0, ARRAY[%(id)s::uuid]
  UNION ALL
  SELECT child.id, down.id, down.depth + 1, down.path || child.id
  FROM down CROSS JOIN LATERAL (
    SELECT invite.accepted_by_id AS id
    FROM invites_invite invite JOIN accounts_user person ON person.id = invite.accepted_by_id
    WHERE invite.invited_by_id = down.id AND person.joined_at >= invite.created_at
    ORDER BY invite.id DESC LIMIT %(people)s
  ) child
  WHERE down.depth < %(depth)s AND child.id <> ALL(down.path)
), found AS (
  SELECT id, NULL::uuid AS parent, depth FROM up WHERE depth < 0
  UNION ALL
  (SELECT id, parent, depth FROM down LIMIT %(people)s)
)
SELECT person.id, found.parent, found.depth, person.username, person.email, person.invites_paused_at,
  accepted.count, pending.count
FROM found JOIN accounts_user person ON person.id = found.id
CROSS JOIN LATERAL (
  SELECT count(*) FROM (
    SELECT FROM invites_invite WHERE invited_by_id = person.id AND accepted_by_id IS NOT NULL LIMIT %(counted)s
  ) first
) accepted
CROSS JOIN LATERAL (
  SELECT count(*) FROM (
    SELECT FROM invites_invite
    WHERE invited_by_id = person.id AND accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL
      AND replaced_at IS NULL AND expires_at > %(now)s
    LIMIT %(counted)s
  ) first
) pending
"""


@dataclass(frozen=True)
class Person:
    """Somebody in a tree; below whom, `depth` generations from its root, less than none above it."""

    id: UUID
    parent: UUID | None
    depth: int
    username: str
    email: str
    invites_paused_at: datetime | None
    accepted: int  # COUNTED at most, as are the pending
    pending: int


@dataclass(frozen=True)
class Tree:
    above: list[Person]  # the first of all first
    root: Person
    below: list[Person]  # each before those it invited, the newest first
    is_cut: bool  # whether there are more below


class InviterQuerySet(models.QuerySet["Inviter"]):
    def pause(self) -> int:
        """Keeps these people from inviting others; what is sent already stays. Returns how many were not paused."""
        return self.filter(invites_paused_at=None).update(invites_paused_at=timezone.now())

    def allow(self) -> int:
        """Lets these people invite again. Returns how many were paused."""
        return self.filter(invites_paused_at__isnull=False).update(invites_paused_at=None)


class Inviter(User):
    """Somebody at the desk, for whom they invited and who invited them."""

    objects = InviterQuerySet.as_manager()  # type: ignore[assignment, misc]  # nobody makes accounts by it

    class Meta:
        proxy = True
        default_permissions = ()  # who may see people and invites may see it
        verbose_name = _("who invited whom")
        verbose_name_plural = _("who invited whom")

    def tree(self) -> Tree:
        """DEPTH generations above and below, PEOPLE at most, in one statement."""
        given: dict[str, Any] = {"id": self.pk, "depth": DEPTH, "people": PEOPLE + 2, "counted": COUNTED}
        given["now"] = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(TREE, given)
            people = [Person(*row) for row in cursor.fetchall()]
        root = next(person for person in people if person.depth == 0)
        above = sorted((person for person in people if person.depth < 0), key=lambda person: person.depth)
        below = in_order(root, people)
        return Tree(above, root, below[:PEOPLE], is_cut=len(below) > PEOPLE)


def in_order(root: Person, people: list[Person]) -> list[Person]:
    """Those below the root, each person once."""
    children: defaultdict[UUID, list[Person]] = defaultdict(list)
    for person in {person.id: person for person in people if person.depth > 0}.values():
        if person.parent:
            children[person.parent].append(person)
    ordered, waiting = [], [root]
    while waiting:
        person = waiting.pop()
        ordered.append(person)
        waiting += sorted(children.pop(person.id, []), key=lambda child: child.id)
    return ordered[1:]
