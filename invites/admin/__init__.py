"""The desk of invitations."""

from invites.admin.invite import InviteAdmin

__all__ = ["InviteAdmin"]
