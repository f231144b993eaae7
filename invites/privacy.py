"""What a leaving person's invitations and links give to the export, and what they forget."""

from accounts.models import User
from accounts.privacy import erase, export
from invites.models import Invite, MagicLink

INVITES = ("source", "email", "note", "language", "next", "created_at", "expires_at", "sent_at", "sends", "accepted_at")
LINKS = ("purpose", "email", "language", "next", "created_at", "expires_at", "used_at")


def take_part() -> None:
    """Called once at start."""
    export.add_part("invites", invites)
    export.add_part("links", links)
    erase.before(forget)


def invites(user: User) -> export.Rows:
    """Those to this person, and those this person sent."""
    sent = Invite.objects.filter(invited_by=user).exclude(email="")
    return (Invite.objects.to(user) | sent).order_by("id").values(*INVITES).iterator()


def links(user: User) -> export.Rows:
    """What was mailed when somebody asked for a link to this person's address."""
    return MagicLink.objects.to(user).asked_for().order_by("id").values(*LINKS).iterator()


def forget(user: User) -> None:
    erase.forget_at_the_desk(Invite.objects.to(user))
    Invite.objects.forget(user)  # locked before its links, as everywhere
    MagicLink.objects.forget(user)
