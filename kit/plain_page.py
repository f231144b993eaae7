"""Pages that look the same to every stranger: rendered once for each language, then given each visitor's CSRF token."""

from collections.abc import Callable, Hashable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language

TOKEN = "the CSRF token goes here"  # noqa: S105 what stands in a rendered page where the token is to go

_pages: dict[tuple[Hashable, ...], str] = {}


def show(request: HttpRequest, template: str, context: Callable[[], dict[str, Any]], *varies: Hashable) -> HttpResponse:
    """Returns the page that `template` makes of what `context` returns; to a stranger perhaps from memory.

    Beside the request's path and language, nothing but `varies` may make a difference to a stranger's page.
    """
    if settings.DEBUG or not is_for_a_stranger(request):
        return render(request, template, context())
    key = (template, request.path, get_language(), *varies)
    if key not in _pages:
        _pages[key] = render_to_string(template, context() | {"csrf_token": TOKEN}, request)
    return HttpResponse(_pages[key].replace(TOKEN, get_token(request)))


def is_for_a_stranger(request: HttpRequest) -> bool:
    """Returns whether a request asks for a page, without a query, and tells nothing of who asks or was here before."""
    cookies = {settings.SESSION_COOKIE_NAME, f"{settings.COOKIE_PREFIX}messages"}
    asks = request.method in {"GET", "HEAD"} and not request.META.get("QUERY_STRING")
    return asks and not hasattr(request, "typed") and cookies.isdisjoint(request.COOKIES)


def forget() -> None:
    """Forgets all pages, for tests that change settings."""
    _pages.clear()
