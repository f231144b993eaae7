"""Who is asking, for the proxies in front of other services (docs/forward-auth.md)."""

from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.session import store
from kit.form import same_site


@cache_control(no_store=True)
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """204 and the user in headers; else 401, or with `?sign-in` the way to sign in and back.

    No middleware has run but those before config.edge.middleware.answer_at_once.
    """
    user = store.owner(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    if user:
        return HttpResponse(status=204, headers=identity(user))
    if "sign-in" in request.GET:
        next_url = wanted(request)
        return redirect_to_login(next_url, redirect_field_name="next" if next_url else None)
    return HttpResponse(status=401)


def identity(user: User) -> dict[str, str]:
    """All of it, always: some proxies pass on what the visitor claims where we say nothing."""
    return {
        "X-Auth-User-Id": str(user.pk),
        "X-Auth-Username": plain(user.username),
        "X-Auth-Email": plain(user.email),
        "X-Auth-Session-Ends": user.session_ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def plain(value: str) -> str:
    """Names and addresses are ASCII by our rules; one that was written past them is percent-encoded."""
    return value if value.isascii() and value.isprintable() else quote(value)


def wanted(request: HttpRequest) -> str:
    """The path that the visitor asked the proxy for, or "". It is never said on which host: this one, or nowhere."""
    headers = request.headers
    return same_site(headers.get("X-Forwarded-Uri") or headers.get("X-Original-URI") or "")
