"""Inviters: pausing their invitations, and the tree of people and those they invited."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

DEPTH = 5  # generations above a person, and as many below
PEOPLE = 500  # below a person, at most
COUNTED = 1000  # invitations of one person, at most

# Follows only the invitation by which a person joined, so `joined_at` is compared: people with an account may accept
# others later, even in a circle. `path` keeps the recursion from running for ever.
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
SELECT person.id, found.parent, found.depth, person.username, person.name, person.email, person.invites_paused_at,
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
    """A person in a tree of invitations. `parent` is the id of the inviter, and `depth` the generations from the root.

    `depth` is negative above the root, where `parent` is always None.
    """

    id: UUID
    parent: UUID | None
    depth: int
    username: str
    name: str
    email: str
    invites_paused_at: datetime | None
    accepted: int  # invitations, COUNTED at most; `pending` likewise
    pending: int

    @property
    def shown_name(self) -> str:
        """What others read: the name, or else the username."""
        return self.name or self.username


@dataclass(frozen=True)
class Tree:
    """A person, the people above (their inviter, that person's inviter …), and the people below whom they brought."""

    above: list[Person]  # the most distant first
    root: Person
    below: list[Person]  # each before the people whom they invited, the newest first
    is_cut: bool  # True if more people are below than are listed


class InviterQuerySet(models.QuerySet["Inviter"]):
    """Users as inviters: keeps many from inviting, or lets them invite again."""

    def pause(self) -> int:
        """Keeps these people from inviting others; their invitations stay. Returns how many were not paused yet."""
        return self.filter(invites_paused_at=None).update(invites_paused_at=timezone.now())

    def allow(self) -> int:
        """Lets these people invite again. Returns how many were paused."""
        return self.filter(invites_paused_at__isnull=False).update(invites_paused_at=None)


class Inviter(User):
    """A user as an inviter: a proxy of User, with its own entry at the desk."""

    objects = InviterQuerySet.as_manager()  # type: ignore[assignment, misc]  # accounts are never made with this manager

    class Meta:
        proxy = True
        default_permissions = ()  # InviterAdmin asks for those to view users and invitations
        verbose_name = _("who invited whom")
        verbose_name_plural = _("who invited whom")

    def tree(self) -> Tree:
        """Returns the tree around this user: DEPTH generations above and below, at most PEOPLE below. One statement.

        Raises Inviter.DoesNotExist if the user was deleted meanwhile.
        """
        given: dict[str, Any] = {"id": self.pk, "depth": DEPTH, "people": PEOPLE + 2, "counted": COUNTED}
        given["now"] = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(TREE, given)
            people = [Person(*row) for row in cursor.fetchall()]
        root = next((person for person in people if person.depth == 0), None)
        if root is None:
            raise Inviter.DoesNotExist
        above = sorted((person for person in people if person.depth < 0), key=lambda person: person.depth)
        below = in_order(root, people)
        return Tree(above, root, below[:PEOPLE], is_cut=len(below) > PEOPLE)


def in_order(root: Person, people: list[Person]) -> list[Person]:
    """Returns the people below the root, each once: after their inviter, and newest first among siblings."""
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
