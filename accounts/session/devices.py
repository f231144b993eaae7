"""Devices that an account has been used on before, as a signed cookie remembers them (OWASP: device cookies).

On such a device a stranger's wrong passwords lock nobody out, and a sign-in is not reported to the owner.
"""

import time
from datetime import timedelta

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from kit import cookies

COOKIE = "device"
LIFETIME = timedelta(days=400)  # browsers keep no cookie for longer
MOST = 5  # accounts remembered in one browser

TRUSTED = "trusted"  # also a cookie: accounts that need no code in this browser
TRUSTED_FOR = timedelta(days=30)

RECOGNIZED = "frontdoor.recognized"  # key in request.META: the account whose cookie the answer must carry


def known_key(request: HttpRequest, user: User) -> str:
    """Returns a key for this device, by which limits count; "" for a device that the account has not been used on.

    Once the owner has had all devices forgotten, it is "" until the next sign-in on this device.
    """
    seen = _seen(request).get(user.pk.hex, 0)
    forgotten = user.devices_forgotten_at
    return f"{user.pk.hex}:{seen}" if seen and (forgotten is None or seen > forgotten.timestamp()) else ""


def known_owner(request: HttpRequest, email: str) -> User | None:
    """Returns the account with this address if this device is known to it, else None.

    A browser without the cookie costs no statement. With a cookie every address costs one, whoever has it.
    """
    seen = _seen(request)
    owner = User.objects.filter(pk__in=seen, email=email).first() if seen else None
    return owner if owner and known_key(request, owner) else None


def is_trusted(request: HttpRequest, user: User) -> bool:
    """Returns whether this browser needs no code: one was entered here within 30 days, with leave not to ask again.

    Returns False if all devices were forgotten since, or all sessions of the account have ended since, as they do when
    an authenticator app is set up.
    """
    since = _trusting(request).get(_trust_key(user), 0)
    forgotten = user.devices_forgotten_at
    if since <= time.time() - TRUSTED_FOR.total_seconds():
        return False
    return forgotten is None or since > forgotten.timestamp()


def trust(request: HttpRequest, response: HttpResponse, user: User) -> HttpResponse:
    """Sets the cookie by which this browser is asked for no code of this account for 30 days (TRUSTED_FOR).

    Returns `response`, which carries the cookie.
    """
    others = {key: at for key, at in _trusting(request).items() if not key.startswith(user.pk.hex)}
    return cookies.keep(response, TRUSTED, _newest(others, _trust_key(user)), TRUSTED_FOR)


def mark_known(request: HttpRequest, user: User) -> None:
    """Marks this device as the user's: the answer to this request will carry the cookie (accounts.middleware)."""
    request.META[RECOGNIZED] = user.pk.hex


def set_cookie(request: HttpRequest, response: HttpResponse) -> None:
    """Sets the cookie of known devices on `response`, if mark_known() has marked the request; else does nothing."""
    if RECOGNIZED not in request.META:
        return
    cookies.keep(response, COOKIE, _newest(_seen(request), request.META[RECOGNIZED]), LIFETIME)


def _trust_key(user: User) -> str:
    # The epoch is part of it: what ends all sessions ends all trust by the same UPDATE, a cookie on its way included.
    return f"{user.pk.hex}:{user.session_epoch}"


def _newest(kept: dict[str, float], key: str) -> dict[str, float]:
    """Returns the entries of the MOST recently used accounts, with the time of `key` set to now."""
    others = sorted((at, other) for other, at in kept.items() if other != key)
    return {other: at for at, other in others[-(MOST - 1) :]} | {key: time.time()}


def _seen(request: HttpRequest) -> dict[str, float]:
    """Returns when each account last signed in in this browser: seconds since the epoch, by the user's id in hex."""
    return cookies.read(request, COOKIE, LIFETIME) or {}


def _trusting(request: HttpRequest) -> dict[str, float]:
    """Returns when each account began to trust this browser: seconds since the Unix epoch, by _trust_key()."""
    return cookies.read(request, TRUSTED, TRUSTED_FOR) or {}
