"""The admin pages of this room, and what it adds to those of people and of the security history."""

from invites.desk.batch import BatchAdmin
from invites.desk.funnel import FunnelAdmin
from invites.desk.history import find
from invites.desk.invite import InviteAdmin
from invites.desk.inviter import InviterAdmin
from invites.desk.join_requests import JoinRequestAdmin
from invites.desk.link import MagicLinkAdmin
from invites.desk.person import mail_reset

__all__ = [
    "BatchAdmin",
    "FunnelAdmin",
    "InviteAdmin",
    "InviterAdmin",
    "JoinRequestAdmin",
    "MagicLinkAdmin",
    "find",
    "mail_reset",
]
