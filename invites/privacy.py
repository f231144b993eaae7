"""The invitations and links in the export of a person's data, and what is erased from them when the person leaves."""

from django.db.models import F

from accounts.models import User
from accounts.privacy import erase, export
from invites.models import Invite, JoinRequest, MagicLink

INVITES = (
    *(
        "source",
        "email",
        "name",
        "profile",
        "note",
        "language",
        "next",
        "created_at",
        "expires_at",
        "sent_at",
        "sends",
        "accepted_at",
        "accepted_as",
    ),
    *("declined_at", "decline_reason"),
)
REQUESTS = (
    *("email", "name", "words", "language", "network", "asked_at", "proven_at", "answered_at"),
    "reason",
)
LINKS = ("purpose", "email", "language", "next", "created_at", "expires_at", "used_at")


def take_part() -> None:
    """Adds the files "invites", "join_requests" and "links" to the export of personal data.

    Also adds forget() to the erasing of an account. Called once at start.
    """
    export.add_part("invites", invites)
    export.add_part("join_requests", join_requests)
    export.add_part("links", links)
    erase.before(forget)


def invites(user: User) -> export.Rows:
    """Returns the invitations to a person, and those that the person sent, except to people who have left.

    Each is a mapping with the keys INVITES, and "groups" and "app", the names; the oldest comes first.
    """
    sent = Invite.objects.filter(invited_by=user).exclude(email="")
    rows = (Invite.objects.to(user) | sent).with_group_names().order_by("id")
    found = rows.values(*INVITES, "group_names", app_name=F("app__client__name"))
    return ({**row, "groups": row.pop("group_names"), "app": row.pop("app_name") or ""} for row in found.iterator())


def join_requests(user: User) -> export.Rows:
    """Returns the requests to join of a person's addresses. Each is a mapping with the keys REQUESTS."""
    return JoinRequest.objects.to(user).order_by("id").values(*REQUESTS).iterator()


def links(user: User) -> export.Rows:
    """Returns the links to a person's addresses, and those that the person used, but no own links of invitations.

    Each is a mapping with the keys LINKS; the oldest comes first.
    """
    return MagicLink.objects.to(user).asked_for().order_by("id").values(*LINKS).iterator()


def forget(user: User) -> None:
    """Erases a leaving person from invitations and links: address, name, details, note, planned account.

    Open invitations to the person are withdrawn, unused links end, and requests to join are deleted. The desk's log no
    longer names the invitations.
    To be called in a transaction, while it is still known which addresses the person had.
    """
    erase.forget_at_the_desk(Invite.objects.to(user))
    JoinRequest.objects.to(user).delete()  # before the invitations, as whoever answers one locks them
    Invite.objects.forget(user)  # before the links: all code locks in this order, so that nothing deadlocks
    MagicLink.objects.forget(user)
