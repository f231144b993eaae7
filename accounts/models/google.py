"""The Google account that somebody also signs in with."""

from typing import TYPE_CHECKING, Any

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction

from accounts.models.event import Event

if TYPE_CHECKING:
    from accounts.models.user import User

PROVIDER = "google"


class ConnectedElsewhere(Exception):
    """That Google account signs in to another account of this site, or this account has another Google account."""


class LastWayIn(Exception):
    """Without a password only mailed links would be left."""


class Google:
    """`user.google`: at most one Google account, known by the id that Google never gives to anybody else."""

    def __init__(self, user: "User") -> None:
        self.user = user

    @property
    def account(self) -> SocialAccount | None:
        return SocialAccount.objects.filter(user=self.user, provider=PROVIDER).first()

    @property
    def email(self) -> str:
        """The address that Google named last; "" without a connection."""
        account = self.account
        return account.extra_data.get("email", "") if account else ""

    def adopt(self, uid: str, email: str) -> bool:
        """Connects without a mail, for who has just joined or come in by it; False when it was connected before.

        Raises ConnectedElsewhere, Superseded.
        """
        with transaction.atomic():
            self.user.lock_or_raise()
            claimed = SocialAccount.objects.filter(provider=PROVIDER, uid=uid).first()
            if claimed and claimed.user_id == self.user.pk:
                return False
            if claimed or self.account:
                raise ConnectedElsewhere
            try:
                with transaction.atomic():
                    SocialAccount.objects.create(
                        user=self.user, provider=PROVIDER, uid=uid, extra_data={"email": email}
                    )
            except IntegrityError:  # by somebody else, in this moment
                raise ConnectedElsewhere from None
        return True

    def connect(self, uid: str, email: str, **trace: Any) -> bool:
        """Connects, and tells the owner; False when it was connected before. Raises ConnectedElsewhere, Superseded."""
        with transaction.atomic():
            if not self.adopt(uid, email):
                return False
            self.user.record_and_notify(Event.Kind.GOOGLE_CONNECTED, google=email, **trace)
        return True

    def disconnect(self, **trace: Any) -> None:
        """Raises LastWayIn, Superseded."""
        with transaction.atomic():
            if not self.user.lock_or_raise().has_usable_password():
                raise LastWayIn
            email = self.email
            if self.forget():
                self.user.record_and_notify(Event.Kind.GOOGLE_DISCONNECTED, google=email, **trace)

    def forget(self) -> bool:
        """Whether there was anything to forget."""
        gone, _rows = SocialAccount.objects.filter(user=self.user, provider=PROVIDER).delete()
        return gone > 0
