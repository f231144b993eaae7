"""An invitation held by somebody who uses another address: asking its sender, and what the answer does."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Event
from invites import mails
from invites.models import Invite, InviteQuerySet, Unavailable
from invites.models.states import UNANSWERED

SAID = ("source", "invited_by", "batch", "name", "group", "note", "next")  # goes with it to the other address


class Readdressing:
    """Sending one invitation to another address than its own: its sender is asked once, and answers once."""

    def __init__(self, invite: Invite) -> None:
        self.invite = invite

    def is_possible(self, email: str) -> bool:
        """Whether there is somebody to ask for this address, who has not been asked yet."""
        sender = self.invite.invited_by
        return bool(
            self.invite.readdress_asked_at is None
            and sender
            and sender.is_active
            and not sender.invites_paused_at
            and email != self.invite.email
        )

    def ask(self, email: str, language: str = "") -> None:
        """Mails the sender, once, that the holder wants it sent to another address. Raises Unavailable."""
        with transaction.atomic():
            asked = {"readdress_to": email, "readdress_asked_at": timezone.now(), "readdress_language": language}
            first = Invite.objects.open().filter(pk=self.invite.pk, readdress_asked_at=None).update(**asked)
            if not first or not self.is_possible(email):
                raise Unavailable
            self.invite.readdress_to = email
            mails.ask_to_readdress(self.invite)

    def approve(self) -> None:
        """Issues it to the address that asked, and withdraws it from its own. Raises Unavailable."""
        with transaction.atomic():
            asked = self._asked().select_for_update(no_key=True).first()
            if asked is None:
                raise Unavailable
            old, current = self.invite, self.invite.current
            moved = {"revoked_at": timezone.now(), "readdress_to": old.readdress_to}
            if not Invite.objects.open().filter(pk=current.pk).update(**moved):
                raise Unavailable
            Event.objects.record(Event.Kind.REVOKED, old.invited_by, about=current.pk)
            said = {name: getattr(current, name) for name in SAID}
            Invite.objects.issue(old.readdress_to, language=old.readdress_language or old.language, **said)

    def refuse(self) -> None:
        """Leaves it with its own address, and tells whoever asked. Raises Unavailable."""
        with transaction.atomic():
            if not self._asked().update(readdress_to=""):
                raise Unavailable
            mails.tell_not_readdressed(self.invite)

    def _asked(self) -> InviteQuerySet:
        """The invitation, as long as the question for another address waits for an answer."""
        return Invite.objects.filter(UNANSWERED, pk=self.invite.pk).exclude(readdress_to="")
