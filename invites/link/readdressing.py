"""Sending an invitation to another address: the holder asks for it and the sender answers, or staff correct it."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models import Invite, InviteQuerySet, Unavailable
from invites.models.queryset import SAID
from invites.models.states import UNANSWERED

# Columns set by the inviter, which are copied to the invitation for the other address.
COPIED = ("source", "invited_by", "batch", "lifetime", *SAID)


class Readdressing:
    """The request to send one invitation to another address. Its sender is asked once, and answers once."""

    def __init__(self, invite: Invite) -> None:
        self.invite = invite

    def is_possible(self, email: str) -> bool:
        """Returns whether the sender can still be asked to send the invitation to `email`.

        That is so if nobody has asked before, `email` is another address, and the sender's account is usable and not
        paused.
        """
        sender = self.invite.invited_by
        return bool(
            self.invite.readdress_asked_at is None
            and sender
            and sender.is_usable
            and not sender.invites_paused_at
            and email != self.invite.email
        )

    def ask(self, email: str, language: str = "") -> None:
        """Mails the sender that the holder wants the invitation at `email`, and notes it in the invitation's row.

        `language` is the code for the mail of the answer. Raises Unavailable if the invitation is no longer open, or
        the sender was asked before or can't be asked.
        """
        with transaction.atomic():
            asked = {"readdress_to": email, "readdress_asked_at": timezone.now(), "readdress_language": language}
            first = Invite.objects.open().filter(pk=self.invite.pk, readdress_asked_at=None).update(**asked)
            if not first or not self.is_possible(email):
                raise Unavailable
            self.invite.readdress_to = email
            mails.ask_to_readdress(self.invite)

    def approve(self) -> None:
        """Withdraws the invitation from its own address, and invites and mails the other address instead.

        If it was replaced, the open one in its place is withdrawn. Raises Unavailable if the sender has answered
        already, or no such invitation is open.
        """
        with transaction.atomic():
            asked = self._asked().select_for_update(no_key=True).first()
            if asked is None:
                raise Unavailable
            old = self.invite
            move(old.current, old.readdress_to, by=old.invited_by, language=old.readdress_language or old.language)

    def refuse(self) -> None:
        """Leaves the invitation with its own address, and mails that to the other address, which wanted it.

        Raises Unavailable if the sender has answered already, or the invitation was accepted, declined or revoked.
        """
        with transaction.atomic():
            if not self._asked().update(readdress_to=""):
                raise Unavailable
            mails.tell_not_readdressed(self.invite)

    def _asked(self) -> InviteQuerySet:
        """Returns a query for the invitation; it is empty unless the request waits for the sender's answer."""
        return Invite.objects.filter(UNANSWERED, pk=self.invite.pk).exclude(readdress_to="")


def correct(invite: Invite, *, by: User, email: str, groups: Collection[int], **said: Any) -> Invite:
    """Changes what an open invitation says, as the member of staff `by` has typed it. Returns the invitation.

    It then leads into the groups with these ids, and `said` are columns of SAID. With another address, that is invited
    and mailed instead, and its invitation is returned. Mail that is already written stays as it is. Raises Unavailable
    if the invitation is no longer open.
    """
    with transaction.atomic():
        if email != invite.email:
            invite.group_ids = list(groups)
            return move(invite, email, by=by, **{"language": invite.language} | said)
        invite.app_id = said.get("app_id", invite.app_id)
        Invite.objects.without_lost_apps([invite])
        if not Invite.objects.open().filter(pk=invite.pk).update(**said | {"app_id": invite.app_id}):
            raise Unavailable
        if set(groups) != set(invite.group_ids):
            Invite.objects.replace_groups(invite, groups)
    return invite


def move(invite: Invite, email: str, *, by: User | None, **changed: Any) -> Invite:
    """Withdraws an open invitation, and invites and mails another address with what it says. Returns the new one.

    `by` is who did it, for the history; `changed` are columns that are to say something else. To be called in a
    transaction. Raises Unavailable if the invitation is no longer open.
    """
    row = Invite.objects.filter(pk=invite.pk)
    if not row.open().update(revoked_at=timezone.now(), readdress_to=email):
        raise Unavailable
    row.withdraw_mails()
    row.announce_invites("invite.revoked")
    Event.objects.record(Event.Kind.REVOKED, by, about=invite.pk)
    said = {name: getattr(invite, name) for name in COPIED} | changed
    return Invite.objects.issue(email, by=by, groups=invite.group_ids, remind=invite.reminds, **said)
