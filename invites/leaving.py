"""What a leaving person's invites give to the export, and what they forget."""

from accounts import leaving
from accounts.models import User
from invites.models import Invite

ABOUT = ("email", "source", "note", "language", "next", "created_at", "expires_at", "sent_at", "sends", "claimed_at")


def take_part() -> None:
    """Called once at start."""
    leaving.PARTS["invites"] = invites
    leaving.FORGETTING.append(forget)


def invites(user: User) -> leaving.Rows:
    """Those to this person, and those this person sent."""
    about = Invite.objects.to(user) | Invite.objects.filter(invited_by=user)
    return about.order_by("id").values(*ABOUT).iterator()


def forget(user: User) -> None:
    leaving.forget_at_the_desk(Invite.objects.to(user))
    Invite.objects.forget(user)
