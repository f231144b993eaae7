"""Proof of an address."""

from invites.models.invite import Invite
from invites.models.queryset import INVITE_LIFETIME, LINK_LIFETIME, InviteQuerySet, InviteUnavailable, NotInvited

__all__ = ["INVITE_LIFETIME", "LINK_LIFETIME", "Invite", "InviteQuerySet", "InviteUnavailable", "NotInvited"]
