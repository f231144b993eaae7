"""The seal of a browser: a cookie by which it is known again when the mail it asked for is answered.

A planned account opens only under it. Whoever plans one for an address that is not theirs holds the seal but not the
mail. The owner of the address holds the mail but not the seal, and chooses a name and a password as if for the first
time.
"""

import secrets
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from kit import cookies

COOKIE = "seal"
LIFETIME = timedelta(days=1)  # as long as asking again can keep a link alive


def of(request: HttpRequest) -> str:
    """The seal as an invite keeps it, or "" for a browser without one."""
    secret = cookies.read(request, COOKIE, LIFETIME)
    return kept(secret) if secret else ""


def ready(request: HttpRequest) -> str:
    """The secret for this browser's cookie, a new one if it has none."""
    return str(cookies.read(request, COOKIE, LIFETIME) or secrets.token_urlsafe(32))


def give(response: HttpResponse, secret: str) -> HttpResponse:
    return cookies.keep(response, COOKIE, secret, LIFETIME)


def kept(secret: str) -> str:
    """A secret as an invite keeps it."""
    return salted_hmac("frontdoor.invites.seal", secret, algorithm="sha256").hexdigest()
