"""Leaving with a way back: an account is deleted on a day to come, unless its owner comes back before."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts import notices
from accounts.models.event import Event
from accounts.models.queryset import Superseded
from outbox.models import OutboxEvent, OutboxMessage

if TYPE_CHECKING:
    from accounts.models.user import User

WAIT = timedelta(days=14)  # between leaving and the deletion


class LastOwner(Exception):
    """Nobody else could give rights at the desk any more: the account is that of the last superuser."""


class Leaving:
    """`user.leaving`: the end that the owner has chosen for the account, and the way back from it."""

    def __init__(self, user: "User") -> None:
        self.user = user

    def hold(self) -> None:
        """Locks the account for what its owner does to leave. To be called in a transaction.

        Raises LastOwner for the last superuser, Superseded if all sessions of the account have ended since the user was
        read, and DatabaseError if another process keeps a row locked for three seconds.
        """
        self.user.lock_soon()
        if type(self.user).objects.lock_last_owner(self.user):
            raise LastOwner

    def begin(self, **trace: Any) -> None:
        """Has the account deleted after WAIT; until then it can't be used but to come back.

        Ends its sessions, and with them trusted browsers, links mailed before and logins to apps. Mail to it that has
        not left is withdrawn; the owner is mailed the way back, and nothing more. Records and announces it. `trace` is
        the ip and device of the request. Raises Superseded if all sessions of the account have ended since the user was
        read.
        """
        user = self.user
        with transaction.atomic():
            user.lock_or_raise()
            user.leaves_at = timezone.now() + WAIT
            user.save(update_fields=["leaves_at"])
            user.end_sessions()
            OutboxMessage.objects.waiting().filter(recipient=user.email).withdraw()
            event = Event.objects.record(Event.Kind.LEAVING, user, told=user.email, **trace)
            notices.way_back(user, event, user.leaves_at)
            rows = type(user).objects.filter(pk=user.pk)
            OutboxEvent.objects.announce_each("user.leaving", rows, user="pk", leaves_at="leaves_at")

    def come_back(self, **trace: Any) -> bool:
        """Lets the account stay, and mails its owner that it does. Returns False if it was to stay already.

        No session comes back. `trace` is the ip and device of the request, or by="staff". Raises Superseded if the
        account was deleted meanwhile.
        """
        user = self.user
        with transaction.atomic():
            held = type(user).objects.select_for_update().filter(pk=user.pk).first()
            if held is None:
                raise Superseded
            user.leaves_at = None
            if held.leaves_at is None:
                return False
            user.save(update_fields=["leaves_at"])
            user.record_and_notify(Event.Kind.CAME_BACK, **trace)
            OutboxEvent.objects.announce_each("user.kept", type(user).objects.filter(pk=user.pk), user="pk")
            return True

    def finish(self) -> bool:
        """Deletes the account if its time has come, and mails its owner that it is gone. Returns whether it did.

        It does not if the owner has come back, or is about to. Raises DatabaseError as User.erase() does; then nothing
        is deleted.
        """
        with transaction.atomic():
            due = type(self.user).objects.to_finish().filter(pk=self.user.pk)
            held = due.select_for_update(skip_locked=True).first()
            if held is None:
                return False
            left = held.events.filter(kind=Event.Kind.LEAVING).order_by("-id").first()
            held.erase(device=left.device if left else "")
            return True
