"""What a leaving person's invites give to the export, and what they forget."""

from django.db.models import Case, F, Value, When

from accounts.models import User
from accounts.privacy import erase, export
from invites.models import Invite

ABOUT = ("email", "note", "language", "next", "created_at", "expires_at", "sent_at", "sends", "claimed_at")


def take_part() -> None:
    """Called once at start."""
    export.add_part("invites", invites)
    erase.before(forget)


def invites(user: User) -> export.Rows:
    """Those to this person, and those this person sent; as a member, no more of them than the member's page shows."""
    sent = Invite.objects.filter(invited_by=user).exclude(source=Invite.Source.MEMBER).exclude(email="")
    source = Case(When(source=Invite.Source.SHADOW, then=Value(Invite.Source.MEMBER)), default=F("source"))
    rows = (Invite.objects.to(user) | sent).order_by("id").values(*ABOUT, said=source)
    return ({"source": row.pop("said"), **row} for row in rows.iterator())


def forget(user: User) -> None:
    erase.forget_at_the_desk(Invite.objects.to(user))
    Invite.objects.forget(user)
