"""The Google account that a user can also sign in with."""

from typing import TYPE_CHECKING, Any

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, models, transaction

from accounts.models.event import Event
from kit.prepared import Given, Prepared

if TYPE_CHECKING:
    from accounts.models.user import User

PROVIDER = "google"
CONNECTION = Prepared(
    lambda: SocialAccount.objects.filter(user=Given("user", models.UUIDField()), provider=PROVIDER).order_by("pk")[:1]
)


class ConnectedElsewhere(Exception):
    """The Google account is connected to another account of this site, or this account to another Google account."""


class LastWayIn(Exception):
    """Google can't be disconnected: the account has no password, so only mailed links would be left to sign in by."""


class Google:
    """`user.google`: the user's connection to one Google account, or none.

    `uid` is the id of a Google account, which Google, unlike an address, never gives to anybody else.
    """

    def __init__(self, user: "User") -> None:
        self.user = user

    @property
    def account(self) -> SocialAccount | None:
        return next(iter(CONNECTION.read(user=self.user.pk)), None)

    @property
    def email(self) -> str:
        """The address that Google named at the last sign-in with it; "" without a connection to Google."""
        account = self.account
        return account.extra_data.get("email", "") if account else ""

    def adopt(self, uid: str, email: str) -> bool:
        """Connects a Google account without a mail about it, when the user has just signed up or in with it.

        `email` is the address that Google names. Returns False if the two were connected already. Raises
        ConnectedElsewhere if either is connected to another account, and Superseded if all sessions of the account have
        ended since the user was read.
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
            except IntegrityError:  # another account has connected it at the same moment
                raise ConnectedElsewhere from None
        return True

    def connect(self, uid: str, email: str, **trace: Any) -> bool:
        """Connects a Google account, and mails the owner about it. Returns False if the two were connected already.

        `email` is the address that Google names, `trace` the ip and device of the request. Raises ConnectedElsewhere if
        either is connected to another account, and Superseded if all sessions of the account have ended since the user
        was read.
        """
        with transaction.atomic():
            if not self.adopt(uid, email):
                return False
            self.user.record_and_notify(Event.Kind.GOOGLE_CONNECTED, google=email, **trace)
        return True

    def disconnect(self, **trace: Any) -> None:
        """Ends the connection to Google, if there is one, and mails the owner about it.

        `trace` is the ip and device of the request. Raises LastWayIn if the account has no password, and Superseded if
        all its sessions have ended since the user was read.
        """
        with transaction.atomic():
            if not self.user.lock_or_raise().has_usable_password():
                raise LastWayIn
            email = self.email
            if self.forget():
                self.user.record_and_notify(Event.Kind.GOOGLE_DISCONNECTED, google=email, **trace)

    def drop(self, **trace: Any) -> str:
        """Ends the connection to Google, if there is one, and records it without a mail: the caller's mail names it.

        `trace` is the ip and device of the request. Returns the address that Google has named; "" without a connection.
        """
        email = self.email
        if self.forget():
            Event.objects.record(Event.Kind.GOOGLE_DISCONNECTED, self.user, google=email, **trace)
        return email

    def forget(self) -> bool:
        """Deletes the connection to Google without a mail about it. Returns False if there was none."""
        gone, _rows = SocialAccount.objects.filter(user=self.user, provider=PROVIDER).delete()
        return gone > 0
