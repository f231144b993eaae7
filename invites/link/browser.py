"""Recognizes a browser: between two presses of one button, and when it opens the mail that it has asked for.

Whoever asks for a link gets a cookie with a secret, and the link keeps its hash. In that browser one press of the
link's button is enough; in any other its page is that of invites.link.elsewhere.

An account that is planned before its address is proven opens only in the browser with the seal, the same cookie. An
attacker who plans an account for somebody else's address has the seal but not the mail. The owner of that address has
the mail but not the seal, and so chooses a name and a password as if nothing had been planned.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from invites.models import MagicLink
from kit import cookies
from kit.tokens import Purpose

COOKIE = "seal"
MARK = "frontdoor_browser"  # attribute of a request
LIFETIME = timedelta(days=1)  # a plan whose link has expired waits as long for a fresh link


def seal(request: HttpRequest) -> str:
    """Returns the hash of the secret in this browser's cookie, as links store it; "" if it has none."""
    secret = cookies.read(request, COOKIE, LIFETIME)
    return seal_of(secret) if secret else ""


def is_other(request: HttpRequest, link: MagicLink) -> bool:
    """Returns whether a browser has asked for this link, and it is another one than this.

    The browser in which an account was planned with the link is none, whoever has asked for a fresh one since.
    """
    if not link.asked_in:
        return False
    here = seal(request)
    return not link.is_asked_in(here) and not link.is_planned_in(here)


def lasting_seal(request: HttpRequest) -> str:
    """Returns the hash of the secret that set_cookie() stores in this browser: the one in its cookie, or a new one."""
    return seal_of(own_secret(request))


def own_secret(request: HttpRequest) -> str:
    """Returns the secret in this browser's cookie, or a new one, which is the same for the whole request."""
    if not hasattr(request, MARK):
        setattr(request, MARK, str(cookies.read(request, COOKIE, LIFETIME) or secrets.token_urlsafe(32)))
    return str(getattr(request, MARK))


def set_cookie(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Stores own_secret() in the browser that has asked for a link, for a day from now. Returns the response."""
    return cookies.keep(response, COOKIE, own_secret(request), LIFETIME)


def seal_of(secret: str) -> str:
    """Returns the keyed hash (SHA-256, in hex) of a secret. Links store it in place of the secret."""
    return salted_hmac("frontdoor.invites.seal", secret, algorithm="sha256").hexdigest()


def identify(request: HttpRequest, page: Purpose) -> str:
    """Returns a keyed hash of this browser's CSRF cookie and the page, or "" for a browser without that cookie.

    It is the same for two presses of one button, and nobody else knows it. The page is hashed too, so that a press of
    the same link on another page does not pass as a second press.
    """
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    if not cookie:
        return ""
    return salted_hmac("frontdoor.invites.browser", f"{page.page} {cookie}", algorithm="sha256").hexdigest()
