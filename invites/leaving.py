"""Whoever is taken out of a group is not brought back into it by an invitation that was sent before."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import m2m_changed

from accounts.models import User
from invites.models import Invite, InviteGroup


def take_part() -> None:
    """Has end_promises() called whenever somebody is taken out of groups, on whichever road. Called once at start."""
    m2m_changed.connect(end_promises, sender=User.groups.through)


def end_promises(action: str, instance: Any, *, reverse: bool, pk_set: Collection[Any] | None, **_more: Any) -> None:
    """Takes groups that a person has just left off the open invitations to that person's address.

    With `reverse`, `instance` is one group that several people have left, and `pk_set` has their ids.
    """
    if action != "post_remove" or not pk_set:
        return
    people = User.objects.filter(pk__in=pk_set if reverse else [instance.pk])
    groups = [instance.pk] if reverse else pk_set
    open_to_them = Invite.objects.open().filter(email__in=people.values("email"))
    InviteGroup.objects.filter(group__in=groups, invite__in=open_to_them).delete()
