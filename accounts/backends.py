"""Password checks: one lookup and one hash, whoever is named."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts.models import User


class Backend(ModelBackend):
    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str = "", password: str = "", email: str = "", **_kwargs: Any
    ) -> User | None:
        """The active user with this name or address and password, or None.

        Unknown, password-less and deactivated accounts cost the same one hash as a wrong password; allauth's own
        backend would hash twice for a known address.
        """
        user = User.objects.by_login(email or username)
        if user is None:
            make_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
