"""The desk of invitations."""

from invites.admin.batch import BatchAdmin
from invites.admin.funnel import FunnelAdmin
from invites.admin.invite import InviteAdmin
from invites.admin.inviter import InviterAdmin
from invites.admin.person import mail_reset

__all__ = ["BatchAdmin", "FunnelAdmin", "InviteAdmin", "InviterAdmin", "mail_reset"]
