"""The tables of this room: magic links, which prove an address, invitations, and batches of invitations."""

from invites.models.batch import AT_ONCE, Batch
from invites.models.funnel import Funnel
from invites.models.invite import Invite, InviteGroup
from invites.models.inviter import Inviter
from invites.models.link_queryset import MagicLinkQuerySet
from invites.models.magic_link import BY_NOBODY, OWNER_UNKNOWN, MagicLink
from invites.models.outcome import Outcome, Reason
from invites.models.queryset import RATE, Entry, InviteQuerySet, NotInvited, in_step, lets_in
from invites.models.states import Unavailable
from invites.models.steps import LINK_LIFETIME

__all__ = [
    "AT_ONCE",
    "BY_NOBODY",
    "LINK_LIFETIME",
    "OWNER_UNKNOWN",
    "RATE",
    "Batch",
    "Entry",
    "Funnel",
    "Invite",
    "InviteGroup",
    "InviteQuerySet",
    "Inviter",
    "MagicLink",
    "MagicLinkQuerySet",
    "NotInvited",
    "Outcome",
    "Reason",
    "Unavailable",
    "in_step",
    "lets_in",
]
