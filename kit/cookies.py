"""Small signed notes that a browser keeps for us. No script reads them, and no other site sends them along."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse


def keep(response: HttpResponse, name: str, value: Any, lifetime: timedelta) -> HttpResponse:
    """Has a browser keep anything that JSON can say."""
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
    """What was kept no longer than `lifetime` ago, or None."""
    kept = request.COOKIES.get(f"{settings.COOKIE_PREFIX}{name}", "")
    try:
        return signing.loads(kept, salt=f"frontdoor.cookies.{name}", max_age=lifetime)
    except signing.BadSignature:
        return None
