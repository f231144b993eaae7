"""Proof of an address."""

from invites.models.batch import AT_ONCE, Batch
from invites.models.bulk import RATE, Entry, in_step
from invites.models.funnel import Funnel
from invites.models.invite import Invite
from invites.models.inviter import Inviter
from invites.models.lifecycle import InviteUnavailable
from invites.models.member_invites import MEMBER_SENDS, QUOTA_WINDOW
from invites.models.outcome import Outcome, Reason
from invites.models.queryset import LINK_LIFETIME, InviteQuerySet, NotInvited
from invites.models.steps import INVITE_LIFETIME

__all__ = [
    "AT_ONCE",
    "INVITE_LIFETIME",
    "LINK_LIFETIME",
    "MEMBER_SENDS",
    "QUOTA_WINDOW",
    "RATE",
    "Batch",
    "Entry",
    "Funnel",
    "Invite",
    "InviteQuerySet",
    "InviteUnavailable",
    "Inviter",
    "NotInvited",
    "Outcome",
    "Reason",
    "in_step",
]
