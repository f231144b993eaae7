"""How the owner of an account disowns an event that a mail told of (“this was not me”), and what that undoes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models.event import NOT_ME_LIFETIME, Event

if TYPE_CHECKING:
    from accounts.models.user import User

# What was done within this time after a recovery code was used may lean on that code: a proof is good for so long
# (accounts/session/notes.py).
LEANS_ON = timedelta(minutes=15)


class EventUnavailable(Exception):
    """The event can't be disowned: it was already, it is too old, or the mailed address has no say any more."""


class NotMe:
    """`NotMe(event)`: the report of an account's owner that somebody else did what `event` records."""

    def __init__(self, event: Event) -> None:
        self.event = event

    def can_be_said(self) -> bool:
        """Returns whether the mail about the event can still disown it.

        The event must be younger than 72 hours and not disowned yet. The mailed address must be the account's, or one
        that the account has left by a change that can be undone.
        """
        if self.event.user is None or self.is_over or self.is_reported:
            return False
        return self.event.told == self.event.user.email or self.undoable_change is not None

    @property
    def is_over(self) -> bool:
        """True once the event is too old to be disowned."""
        return timezone.now() >= self.event.works_until

    @property
    def is_reported(self) -> bool:
        """True if the event was disowned, or if a later report from the same mailbox has left nothing to undo.

        Disowning a later event leaves a second factor in place that was set up before that event, and recovery codes of
        which one was used: as long as they are there, this event can still be disowned.
        """
        event, user = self.event, self.event.user
        if event.disowned_at is not None or user is None:
            return event.disowned_at is not None
        said = user.events.filter(kind=Event.Kind.DISOWNED, id__gt=event.pk, detail__told=event.told)
        last = said.order_by("-id").first()
        if last is None or user.second_factor.was_set_up(event, before=last):
            return False
        return event.kind != Event.Kind.RECOVERY_CODE_USED or not user.second_factor.has_codes_from(before=event.at)

    @property
    def recovery_codes_go(self) -> bool:
        """Whether disowning the event removes the recovery codes: one was used since, or for what the event tells of.

        Whoever has used one of them has the whole sheet.
        """
        user = self.event.user
        if user is None:
            return False
        used = user.events.filter(kind=Event.Kind.RECOVERY_CODE_USED, at__gte=self.event.at - LEANS_ON)
        return used.exists() and user.second_factor.batch != 0

    @property
    def former_name(self) -> str:
        """The name that the account had at the event, if it has been renamed since; else "".

        Also "" if staff have renamed it since, or its owner after a report: nobody undoes what they have put right.
        """
        events = Event.objects.filter(user=self.event.user)
        renames = list(events.filter(kind=Event.Kind.USERNAME_CHANGED, at__gte=self.event.at).order_by("id"))
        if not renames or self.event.user is None or any("by" in rename.detail for rename in renames):
            return ""
        if events.filter(kind=Event.Kind.DISOWNED, id__gt=self.event.pk, id__lt=renames[-1].pk).exists():
            return ""
        before = str(renames[0].detail["before"])
        return "" if before == self.event.user.username else before

    @property
    def undoable_change(self) -> Event | None:
        """The change by which the account has left the mailed address since the event, if it can be undone; else None.

        It must be younger than 72 hours, and not made by staff. Once it or an earlier change has been undone, it can't
        be undone any more: a thief who has moved the account on and on has no say after its owner has undone the first
        step.
        """
        theirs = Event.objects.filter(user=self.event.user)
        since = max(self.event.at, timezone.now() - NOT_ME_LIFETIME)
        moves = theirs.filter(kind=Event.Kind.EMAIL_CHANGED, detail__before=self.event.told, at__gte=since)
        move = moves.exclude(detail__has_key="by").order_by("id").first()  # no mail undoes what staff have put right
        if move is None:
            return None
        undone = theirs.filter(kind=Event.Kind.EMAIL_RESTORED, id__gt=move.pk, detail__undone__lte=move.pk.hex)
        return None if undone.exists() else move

    @transaction.atomic
    def say(self, **trace: Any) -> "User":
        """Disowns the event, and returns the account as it is afterwards. `trace` is the ip and device of the request.

        Ends every session; removes the password, Google and known devices, a second factor that was set up since, and
        the recovery codes if one was used; turns mails about the account on again. Restores a name that was changed
        since, unless another account has it by now, and an address that was changed since or, if another account has
        it, turns this account off. An account that was to be deleted stays. All in one transaction. Raises
        EventUnavailable if the event was disowned already, or can't be any more.
        """
        user, told = self._claim(), self.event.told
        codes_go, name = self.recovery_codes_go, self.former_name
        user.ways_in.remove(**trace)
        # What a thief has set up must not keep the owner out; what the owner had before still keeps a thief out.
        user.second_factor.forget(since=self.event)
        if codes_go:
            user.second_factor.forget_codes()
        if name:
            user.take_name_back(name, **trace)
        move = self.undoable_change if user.email != told else None
        if move and not user.address.restore(told, move, **trace):
            user.turn_off(**trace)  # two mailboxes claim the account, and neither can prove more: staff must look
        else:
            user.end_sessions()
        if user.leaves_at:
            user.leaving.come_back(**trace)  # perhaps the thief has chosen that it ends
        Event.objects.record(Event.Kind.DISOWNED, user, told=told, **trace)
        return user

    def _claim(self) -> "User":
        """Locks the account, marks the event as disowned, and returns the account.

        Only one of several requests can do so. Raises EventUnavailable for the others, if it is too late, or if the
        account was deleted, perhaps since the event was read.
        """
        event = self.event
        if event.user:
            event.user = type(event.user).objects.select_for_update().filter(pk=event.user.pk).first()
        if event.user is None:
            raise EventUnavailable
        won = Event.objects.filter(pk=event.pk, disowned_at=None).update(disowned_at=timezone.now())
        if not won or not self.can_be_said():
            raise EventUnavailable
        return event.user
