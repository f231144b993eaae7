"""The open invitations of people who leave: a colleague takes them over, or they are withdrawn."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import Event, User
from accounts.privacy import handover
from invites import mails
from invites.digest import page_of
from invites.models import Invite, InviteGroup, InviteQuerySet


def take_part() -> None:
    """Has the invitations of people who leave handed over or withdrawn. Called once at start."""
    handover.add(handover.Handover(count, may_take, settle))


def open_of(user: User) -> InviteQuerySet:
    """Returns the invitations that the user has sent, and that nobody has answered."""
    rows: InviteQuerySet = Invite.objects.filter(invited_by=user).open()
    return rows


def count(user: User) -> int:
    return open_of(user).count()


def may_take(user: User, colleague: User) -> bool:
    """Returns whether the colleague may invite people, at the desk if any of the user's invitations are from there."""
    if colleague.invites_paused_at:
        return False
    if colleague.is_staff and colleague.has_perm("invites.add_invite"):
        return True
    at_desk = open_of(user).exclude(source=Invite.Source.MEMBER).exists()
    return settings.MEMBERS_INVITE and not at_desk


def settle(user: User, colleague: User | None) -> None:
    """Hands the user's open invitations to the colleague, and withdraws what cannot be handed over.

    Without a colleague all are withdrawn. To be called in a transaction that holds the row of the user, and of the
    colleague.
    """
    if colleague and (taken := take_over(user, colleague)):
        Event.objects.bulk_create([Event(kind=Event.Kind.TAKEN_OVER, user=colleague, about=pk) for pk in taken])
        mails.taken_over(colleague, user, len(taken), page_of(colleague))
    open_of(user).revoke(user)


def take_over(user: User, colleague: User) -> Sequence[UUID]:
    """Makes the colleague the inviter of the user's open invitations, and returns the ids of these.

    Not of those to the colleague, nor to people whom the colleague, as a member, has invited too. The user's notes go:
    nobody is to say in the colleague's name what they have not written. So do groups that grant permissions, unless the
    user may give them: else a superuser who takes over would give them unasked.
    """
    member = Invite.Source.MEMBER
    own = open_of(colleague).filter(source=member)
    rows = open_of(user).exclude(email=colleague.email).exclude(source=member, email__in=own.values("email"))
    held = rows.order_by("pk").select_for_update(no_key=True)
    keys = list(held.values_list("pk", flat=True))
    if not user.is_superuser:
        InviteGroup.objects.filter(invite__in=keys, group__permissions__isnull=False).delete()
    said: dict[str, Any] = {"invited_by": colleague, "note": ""}
    Invite.objects.filter(pk__in=keys).update(**said)
    return keys
