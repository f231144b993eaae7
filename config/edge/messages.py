"""Storage of messages between two pages: a cookie that works in one browser only, and for minutes."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.core import signing
from django.http import HttpRequest
from django.middleware.csrf import get_token

LIFETIME = 5 * 60  # seconds; a message is about what was done just now


class Signer(signing.TimestampSigner):
    """A signer whose signatures are valid for LIFETIME."""

    def unsign(self, value: str, max_age: Any = LIFETIME) -> str:
        return super().unsign(value, max_age=max_age)


class BrowserStorage(CookieStorage):
    """Django's cookie of messages, signed for the browser that it is sent to.

    Without that, somebody who can set a cookie could have the site show the messages of another visit as its own. The
    browser is known by the secret in its CSRF cookie: it outlives a sign-out, and a sign-in sets the new one with the
    same answer as the message.
    """

    cookie_name = f"{settings.COOKIE_PREFIX}messages"

    # What Django's storages override; its stubs do not know these two.
    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Any] | None, bool]:
        if self.cookie_name not in self.request.COOKIES:
            return None, True
        self.signer = signer(self.request)
        return super()._get(*args, **kwargs)  # type: ignore[misc]

    def _store(self, messages: list[Any], response: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if messages and "CSRF_COOKIE" not in self.request.META:
            get_token(self.request)  # makes a CSRF cookie that the answer will carry
        self.signer = signer(self.request)
        return super()._store(messages, response, *args, **kwargs)  # type: ignore[misc]


def signer(request: HttpRequest) -> Signer:
    """Returns the signer for the browser of this request, as its CSRF cookie knows it."""
    return Signer(salt=f"frontdoor.messages.{request.META.get('CSRF_COOKIE', '')}")
