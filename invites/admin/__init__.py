"""The desk of invitations."""

from invites.admin.batch import BatchAdmin
from invites.admin.invite import InviteAdmin

__all__ = ["BatchAdmin", "InviteAdmin"]
