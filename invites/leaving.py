"""What a leaving person's invites give to the export, and what they forget."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.signals import pre_delete

from accounts import leaving
from accounts.models import User
from invites.models import Invite

ABOUT = ("email", "source", "note", "language", "next", "created_at", "expires_at", "sent_at", "sends", "claimed_at")


def hear_deletions() -> None:
    """Called once at start."""
    leaving.PARTS["invites"] = invites
    pre_delete.connect(_forget, sender=get_user_model(), dispatch_uid="invites.leaving")


def invites(user: User) -> leaving.Rows:
    """Those to this person, and those this person sent."""
    about = Invite.objects.filter(Q(email=user.email) | Q(claimed_by=user) | Q(invited_by=user))
    return about.order_by("id").values(*ABOUT).iterator()


def _forget(instance: User, **_kwargs: Any) -> None:
    Invite.objects.forget(instance)
