"""Signed cookies: values that a browser keeps for us.

No script can read them (HttpOnly). With SameSite=Lax other sites cannot have them sent, except by a link to a page of
ours.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse


def keep(response: HttpResponse, name: str, value: Any, lifetime: timedelta) -> HttpResponse:
    """Sets a signed cookie on `response` and returns `response`.

    `value` is anything that JSON can express. The browser deletes the cookie after `lifetime`; its user can read the
    value, but not change it.
    """
    response.set_cookie(
        f"{settings.COOKIE_PREFIX}{name}",
        signing.dumps(value, salt=f"frontdoor.cookies.{name}"),
        max_age=lifetime,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def read(request: HttpRequest, name: str, lifetime: timedelta) -> Any:
    """Returns the value of a signed cookie, or None if it is missing, forged or older than `lifetime`."""
    kept = request.COOKIES.get(f"{settings.COOKIE_PREFIX}{name}", "")
    try:
        return signing.loads(kept, salt=f"frontdoor.cookies.{name}", max_age=lifetime)
    except signing.BadSignature:
        return None
