"""By what a browser is known again: between two presses, and when the mail that it asked for is answered.

A planned account opens only under the seal, a cookie. Whoever plans one for an address that is not theirs holds the
seal but not the mail. The owner of the address holds the mail but not the seal, and chooses a name and a password as
if for the first time.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from kit import cookies
from kit.tokens import Purpose

COOKIE = "seal"
LIFETIME = timedelta(days=1)  # after its link has run out, a plan waits as long for a fresh one


def seal(request: HttpRequest) -> str:
    """The seal as a link keeps it, or "" for a browser without one."""
    kept = cookies.read(request, COOKIE, LIFETIME)
    return seal_of(kept) if kept else ""


def own_secret(request: HttpRequest) -> str:
    """The secret in this browser's cookie, or a new one."""
    return str(cookies.read(request, COOKIE, LIFETIME) or secrets.token_urlsafe(32))


def set_cookie(response: HttpResponse, secret: str) -> HttpResponse:
    return cookies.keep(response, COOKIE, secret, LIFETIME)


def seal_of(secret: str) -> str:
    """A secret as a link keeps it."""
    return salted_hmac("frontdoor.invites.seal", secret, algorithm="sha256").hexdigest()


def identify(request: HttpRequest, page: Purpose) -> str:
    """What stays the same between two presses on one page in one browser and nobody else knows.

    That is its CSRF cookie, hashed with the page: another page's press of the same link is no second press.
    """
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    if not cookie:
        return ""
    return salted_hmac("frontdoor.invites.browser", f"{page.page} {cookie}", algorithm="sha256").hexdigest()
