"""What signing in and a session are checked against: the hash of the password, and the epoch of the sessions."""

from itertools import chain

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password
from django.db import models
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import passwords


class Credentials(AbstractBaseUser):
    """The base of User: whether a typed password is the user's, and whether a session is still good.

    Every password is normalized before it is hashed. How it is changed is in accounts.models.ways_in.
    """

    # A part of the hash that each session carries: when it is counted up, all sessions of the user are void.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def set_password(self, raw_password: str | None) -> None:
        """Sets the hash of a typed password, or with None makes the password unusable. Saves nothing."""
        super().set_password(None if raw_password is None else passwords.normalize(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Returns whether a typed password is the user's. Costs one hash, and stores nothing: see WaysIn."""
        return check_password(None if raw_password is None else passwords.normalize(raw_password), self.password)

    def vouches_for(self, session_hash: str) -> bool:
        """Returns whether a session with this hash began under the user's present password and epoch.

        The hash may be made with SECRET_KEY or with one of SECRET_KEY_FALLBACKS.
        """
        good = chain((self.get_session_auth_hash(),), self.get_session_auth_fallback_hash())
        return any(constant_time_compare(session_hash, one) for one in good)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()
