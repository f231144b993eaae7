"""The check of passwords at sign-in: one look-up and one hash, whether the account exists or not."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts import limits
from accounts.models import User
from accounts.models.queryset import login_column
from accounts.password import guesses
from accounts.session import devices, store
from kit import rate_limit
from kit.lane import Full


class Backend(ModelBackend):
    """Django's backend for this site: checks passwords at sign-in, and finds the user of a session."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str = "", password: str = "", email: str = "", **_kwargs: Any
    ) -> User | None:
        """Returns the active user with this name or address and password, or None. Raises Limited after too many tries.

        The login is `email`, or else `username`; either may hold a name or an address. A wrong one is logged and
        recorded. Unknown, password-less and deactivated accounts cost the same as a wrong password: one hash, one
        event. So does the right password of an account that is shut to unknown devices (LOGIN_IN_A_ROW), on one of
        them: whoever guesses never learns which guess was right. allauth's own backend would hash twice for a known
        address.
        """
        column, login = login_column(email or username)  # counted by one spelling: others must not be more tries
        user = User.objects.with_guesses(**{column: login})
        # A known device has a limit of its own: a stranger who guesses elsewhere must not lock out the owner.
        known = devices.known_key(request, user) if request and user else ""
        tries = (limits.LOGIN_PER_DEVICE, known) if known else (limits.LOGIN_PER_NAME, login)
        network = rate_limit.take_due(request) if request else []
        rate_limit.take_all(tries, *network)
        try:
            if user is None or (user.is_shut and not known):
                make_password(password)
            elif user.check_password(password) and self.user_can_authenticate(user):
                rate_limit.give_back_all(tries)
                user.ways_in.renew_hash(password)
                return user
        except Full:  # nothing was tried; but a network must not fill the lane without end
            rate_limit.give_back_all(tries)
            raise
        guesses.record(request, user, known=bool(known))
        return None

    def get_user(self, user_id: Any) -> User | None:
        """Returns the active user with this id, while the session of this request has its row in PostgreSQL; else None.

        Costs one statement.
        """
        user = User.objects.by_session_key(store.loaded_key.get())
        return user if user and user.pk == user_id and self.user_can_authenticate(user) else None
