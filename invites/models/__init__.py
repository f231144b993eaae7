"""The tables of this room: magic links, which prove an address, invitations, and batches of invitations."""

from invites.models.batch import AT_ONCE, Batch
from invites.models.funnel import Funnel
from invites.models.invite import Invite, InviteGroup
from invites.models.inviter import Inviter
from invites.models.join_request import LONGEST, JoinRequest
from invites.models.join_request_queryset import ANSWERED_KEPT, AlreadyIn, JoinRequestQuerySet
from invites.models.link_queryset import MagicLinkQuerySet
from invites.models.magic_link import BY_NOBODY, OWNER_UNKNOWN, MagicLink
from invites.models.outcome import Outcome, Reason
from invites.models.plea import Plea
from invites.models.queryset import RATE, Entry, InviteQuerySet, NotInvited, in_step, lets_in
from invites.models.states import Unavailable
from invites.models.steps import LINK_LIFETIME

__all__ = [
    "ANSWERED_KEPT",
    "AT_ONCE",
    "BY_NOBODY",
    "LINK_LIFETIME",
    "LONGEST",
    "OWNER_UNKNOWN",
    "RATE",
    "AlreadyIn",
    "Batch",
    "Entry",
    "Funnel",
    "Invite",
    "InviteGroup",
    "InviteQuerySet",
    "Inviter",
    "JoinRequest",
    "JoinRequestQuerySet",
    "MagicLink",
    "MagicLinkQuerySet",
    "NotInvited",
    "Outcome",
    "Plea",
    "Reason",
    "Unavailable",
    "in_step",
    "lets_in",
]
