"""Devices that an account has been used on before, as a cookie remembers them (OWASP: device cookies).

On such a device a stranger's wrong passwords lock nobody out, and signing in is no news to its owner.
"""

import time
from datetime import timedelta

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from kit import cookies

COOKIE = "device"
LIFETIME = timedelta(days=400)  # browsers keep no cookie for longer
MOST = 5  # accounts of one browser

TRUSTED = "trusted"  # a cookie too: whose second factor is not asked for here
TRUSTED_FOR = timedelta(days=30)

RECOGNIZED = "frontdoor.recognized"  # in request.META: whose device this has become


def known(request: HttpRequest, user: User) -> str:
    """A name for this device, if it has signed in since the owner last had all devices forgotten; else ""."""
    seen = _seen(request).get(user.pk.hex, 0)
    forgotten = user.devices_forgotten_at
    return f"{user.pk.hex}:{seen}" if seen and (forgotten is None or seen > forgotten.timestamp()) else ""


def is_trusted(request: HttpRequest, user: User) -> bool:
    """Whether a code was given here lately, with leave not to ask again, and nothing was forgotten since."""
    since = _trusting(request).get(user.pk.hex, 0)
    forgotten = user.devices_forgotten_at
    if since <= time.time() - TRUSTED_FOR.total_seconds() or (forgotten and since <= forgotten.timestamp()):
        return False
    app = user.second_factor.app
    return app is None or since > app.created_at.timestamp()


def trust(request: HttpRequest, response: HttpResponse, user: User) -> HttpResponse:
    """Has this browser asked for no code of this account until TRUSTED_FOR is over."""
    return cookies.keep(response, TRUSTED, _newest(_trusting(request), user.pk.hex), TRUSTED_FOR)


def recognize(request: HttpRequest, user: User) -> None:
    """Has the answer to this request carry the cookie (accounts.middleware)."""
    request.META[RECOGNIZED] = user.pk.hex


def remember(request: HttpRequest, response: HttpResponse) -> None:
    if RECOGNIZED not in request.META:
        return
    cookies.keep(response, COOKIE, _newest(_seen(request), request.META[RECOGNIZED]), LIFETIME)


def _newest(kept: dict[str, float], key: str) -> dict[str, float]:
    """What was kept of the accounts of this browser that were used last, and of one of them anew."""
    others = sorted((at, other) for other, at in kept.items() if other != key)
    return {other: at for at, other in others[-(MOST - 1) :]} | {key: time.time()}


def _seen(request: HttpRequest) -> dict[str, float]:
    """When the accounts of this browser were last signed in to, in seconds since the epoch, by their ids."""
    return cookies.read(request, COOKIE, LIFETIME) or {}


def _trusting(request: HttpRequest) -> dict[str, float]:
    """When it was said of which accounts that no code be asked for here."""
    return cookies.read(request, TRUSTED, TRUSTED_FOR) or {}
