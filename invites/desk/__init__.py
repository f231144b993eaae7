"""The admin pages of this room, and the action on people that mails a password reset link."""

from invites.desk.batch import BatchAdmin
from invites.desk.funnel import FunnelAdmin
from invites.desk.invite import InviteAdmin
from invites.desk.inviter import InviterAdmin
from invites.desk.link import MagicLinkAdmin
from invites.desk.person import mail_reset

__all__ = ["BatchAdmin", "FunnelAdmin", "InviteAdmin", "InviterAdmin", "MagicLinkAdmin", "mail_reset"]
