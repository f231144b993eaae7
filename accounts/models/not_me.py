"""Saying “this was not me” of an event that a mail told of: whether it still counts, and what it does."""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models.event import NOT_ME_LIFETIME, Event

if TYPE_CHECKING:
    from accounts.models.user import User


class EventUnavailable(Exception):
    """It was disowned already, or too long ago, or its mail went to an address that has no say any more."""


class NotMe:
    """`NotMe(event)`: whether it can be said of this event, and saying it."""

    def __init__(self, event: Event) -> None:
        self.event = event

    def can_be_said(self) -> bool:
        """Whether its mail still has a say: it is young, and went to an address that is the account's or just was."""
        if self.event.user is None or self.is_over or self.is_reported:
            return False
        return self.event.told == self.event.user.email or self.undoable_change is not None

    @property
    def is_over(self) -> bool:
        """Whether it is too late to say it."""
        return timezone.now() >= self.event.works_until

    @property
    def is_reported(self) -> bool:
        """Whether it was said of this event, or from the same mailbox since, and nothing is left that it would undo.

        What is said of a later event leaves a second factor in place that was set up before that.
        """
        event, user = self.event, self.event.user
        if event.disowned_at is not None or user is None:
            return event.disowned_at is not None
        said = user.events.filter(kind=Event.Kind.DISOWNED, id__gt=event.pk, detail__told=event.told)
        last = said.order_by("-id").first()
        return last is not None and not user.second_factor.was_set_up(event, before=last)

    @property
    def undoable_change(self) -> Event | None:
        """The change by which the account has left the mailed address since, if it is young enough to be undone.

        Of several changes in a row the earliest may be undone last: a thief who moved the account on and on has no say
        once its owner has undone the first step.
        """
        theirs = Event.objects.filter(user=self.event.user)
        since = max(self.event.at, timezone.now() - NOT_ME_LIFETIME)
        moves = theirs.filter(kind=Event.Kind.EMAIL_CHANGED, detail__before=self.event.told, at__gte=since)
        move = moves.exclude(detail__has_key="by").order_by("id").first()  # what staff put right, no mail undoes
        if move is None:
            return None
        undone = theirs.filter(kind=Event.Kind.EMAIL_RESTORED, id__gt=move.pk, detail__undone__lte=move.pk.hex)
        return None if undone.exists() else move

    @transaction.atomic
    def say(self, **trace: Any) -> "User":
        """Disowns the event; returns the account as it is then. `trace` is from where: ip and device.

        Every session ends, the password, all known devices and Google are worth nothing, a second factor that was set
        up since is gone, and an address that was changed since comes back. If another account has that address by now,
        this one is turned off. Raises EventUnavailable.
        """
        user, told = self._claim(), self.event.told
        user.remove_ways_in()
        # What a thief has set up must not keep the owner out; what the owner had before still keeps a thief out.
        user.second_factor.forget(since=self.event)
        if self.event.kind == Event.Kind.RECOVERY_CODE_USED:
            user.second_factor.forget_codes()  # who has one of them has the sheet
        move = self.undoable_change if user.email != told else None
        if move and not user.address.restore(told, move, **trace):
            user.turn_off(**trace)  # two mailboxes claim it, and neither can prove more: a person must look
        else:
            user.end_sessions()
        Event.objects.record(Event.Kind.DISOWNED, user, told=told, **trace)
        return user

    def _claim(self) -> "User":
        """Locks the account and marks the event, once. Raises EventUnavailable."""
        event = self.event
        if event.user is None:
            raise EventUnavailable
        event.user = type(event.user).objects.select_for_update().get(pk=event.user.pk)
        won = Event.objects.filter(pk=event.pk, disowned_at=None).update(disowned_at=timezone.now())
        if not won or not self.can_be_said():
            raise EventUnavailable
        return event.user
