"""The desk of invitations."""

from invites.admin.batch import BatchAdmin
from invites.admin.invite import InviteAdmin
from invites.admin.person import mail_reset

__all__ = ["BatchAdmin", "InviteAdmin", "mail_reset"]
