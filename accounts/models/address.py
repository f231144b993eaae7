"""The email address of an account: its present one, its former ones, and the proof that it is the owner's."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import notices
from accounts.models.event import NOT_ME_LIFETIME, Event
from kit import addresses
from outbox.models import Suppression

if TYPE_CHECKING:
    from accounts.models.user import User


class Address:
    """`user.address`: the user's one address, in `user.email` and in allauth's one row for it, verified and primary."""

    def __init__(self, user: "User") -> None:
        self.user = user

    def first(self) -> EmailAddress:
        """Returns `user.email` of a new account as its verified and primary address, not stored yet."""
        return EmailAddress(user=self.user, email=self.user.email, verified=True, primary=True)

    def set_only(self) -> None:
        """Makes `user.email` the account's only address, verified and primary, and allows mail to it again.

        Deletes every other address of the account from allauth's table. Raises IntegrityError if `user.email` is
        verified for another account.
        """
        rows = EmailAddress.objects.filter(user=self.user)
        with transaction.atomic():
            rows.exclude(email=self.user.email).delete()
            EmailAddress.objects.update_or_create(
                user=self.user, email=self.user.email, defaults={"verified": True, "primary": True}
            )
            Suppression.objects.undo_opt_out(self.user.email)  # the owner of an account must hear of what happens to it

    def prove(self) -> None:
        """Stores that the owner has just proven `user.email`. Does nothing if the address was verified before.

        If it never was, somebody else may have planted the account: every session ends; the password, Google, known
        devices and the second factor are removed; and the user is read from the database again. Raises Superseded if
        all sessions of the account have ended, or it was deleted, since the user was read.
        """
        if not EmailAddress.objects.filter(user=self.user, email=self.user.email, verified=True).exists():
            with transaction.atomic():
                self.user.lock_or_raise()
                self.user.ways_in.remove()
                self.user.end_sessions()
                self.user.second_factor.forget()
                self.set_only()
            self.user.refresh_from_db()

    def change(self, email: str, **trace: Any) -> None:
        """Gives the account another address, which its owner has proven, and mails the old one about it.

        Does nothing if the account has it already. `trace` is the ip and device of the request. Raises Superseded if
        all sessions of the account have ended since the user was read, IntegrityError for a taken address, and
        ValidationError for a malformed one.
        """
        with transaction.atomic():
            held, after = self.user.lock_or_raise(), addresses.normalize(email)
            before, held.email = held.email, after
            if after == before:  # the same code was sent in twice
                return
            held.save(update_fields=["email"])
            held.announce_update("email")
            self.user.email = after
            self.set_only()
            self.user.record_and_notify(Event.Kind.EMAIL_CHANGED, told=before, before=before, **trace)

    def restore(self, email: str, undone: Event, **trace: Any) -> bool:
        """Gives the account its former address `email` back, and mails the address that it leaves.

        `undone` is the change that this undoes, `trace` the ip and device of the request. Returns True, or False, and
        changes nothing, if another account has `email` by now.
        """
        user, left = self.user, self.user.email
        try:
            with transaction.atomic():
                user.email = email
                user.save(update_fields=["email"])
                user.announce_update("email")
                self.set_only()
                detail = {"told": left, "undone": undone.pk.hex, **trace}
                notices.tell(Event.objects.record(Event.Kind.EMAIL_RESTORED, user, **detail))
        except IntegrityError:
            user.email = left
        return user.email == email

    def all_own(self) -> set[str]:
        """Returns the account's address and its former ones, except those that another account has now."""
        former = self.former(since=self.user.joined_at)
        taken = type(self.user).objects.filter(email__in=former).values_list("email", flat=True)
        return {self.user.email} | former - set(taken)

    def former(self, since: datetime | None = None) -> set[str]:
        """Returns the addresses that the account has left since `since`; it may have come back to one of them.

        The default is 72 hours ago (NOT_ME_LIFETIME): a change since then can still be undone.
        """
        since = since or timezone.now() - NOT_ME_LIFETIME
        moves = self.user.events.filter(kind=Event.Kind.EMAIL_CHANGED, at__gte=since)
        return set(moves.values_list("detail__before", flat=True))
