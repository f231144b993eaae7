"""The email address of an account: the one it has, the ones it had, and the proof that it is its owner's."""

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
    """`user.address`: `user.email` and, beside it, the one row in which allauth keeps it, verified and primary."""

    def __init__(self, user: "User") -> None:
        self.user = user

    def add_first(self) -> None:
        """Does what `set_only` does for a new account, which can have no other address to delete."""
        EmailAddress.objects.create(user=self.user, email=self.user.email, verified=True, primary=True)
        self._allow_mail()

    def set_only(self) -> None:
        """Makes `user.email` the account's one address: verified, primary, and no other beside it."""
        rows = EmailAddress.objects.filter(user=self.user)
        with transaction.atomic():
            rows.exclude(email=self.user.email).delete()
            EmailAddress.objects.update_or_create(
                user=self.user, email=self.user.email, defaults={"verified": True, "primary": True}
            )
            self._allow_mail()

    def _allow_mail(self) -> None:
        Suppression.objects.undo_opt_out(self.user.email)  # who has an account must hear of what happens to it

    def prove(self) -> None:
        """The owner has just proven this address.

        If it was never proven before, someone may have planted the account: every session ends, and every way in that
        they could have set up is removed.
        """
        if not EmailAddress.objects.filter(user=self.user, email=self.user.email, verified=True).exists():
            with transaction.atomic():
                self.user.remove_ways_in()
                self.user.end_sessions()
                self.user.second_factor.forget()
                self.set_only()
            self.user.refresh_from_db()

    def change(self, email: str, **trace: Any) -> None:
        """Takes another address, which is proven, and tells the old one. `trace` is from where: ip and device.

        Raises Superseded, IntegrityError for a taken address.
        """
        with transaction.atomic():
            before, after = self.user.lock_or_raise().email, addresses.normalize(email)
            if after == before:  # the same code twice
                return
            type(self.user).objects.filter(pk=self.user.pk).update(email=after)
            self.user.email = after
            self.set_only()
            self.user.record_and_notify(Event.Kind.EMAIL_CHANGED, told=before, before=before, **trace)

    def restore(self, email: str, undone: Event, **trace: Any) -> bool:
        """Comes back to the address before a change, which `undone` is; False when somebody else has it by now."""
        user, left = self.user, self.user.email
        try:
            with transaction.atomic():
                user.email = email
                user.save(update_fields=["email"])
                self.set_only()
                detail = {"told": left, "undone": undone.pk.hex, **trace}
                notices.tell(Event.objects.record(Event.Kind.EMAIL_RESTORED, user, **detail))
        except IntegrityError:
            user.email = left
        return user.email == email

    def all_own(self) -> set[str]:
        """The account's address, and those it has had and nobody else has now."""
        former = self.former(since=self.user.joined_at)
        taken = type(self.user).objects.filter(email__in=former).values_list("email", flat=True)
        return {self.user.email} | former - set(taken)

    def former(self, since: datetime | None = None) -> set[str]:
        """Addresses that it has left since then, or since so short a time that it could still be undone."""
        since = since or timezone.now() - NOT_ME_LIFETIME
        moves = self.user.events.filter(kind=Event.Kind.EMAIL_CHANGED, at__gte=since)
        return set(moves.values_list("detail__before", flat=True))
