"""Pages that look the same to all, but for some texts: rendered once for each language, then filled in for each."""

from collections.abc import Callable, Hashable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language

from kit.prepared_html import blanks, fill, with_blanks

MOST = 500  # pages in memory: those that say how many minutes late mail is would become more and more

_pages: dict[tuple[Hashable, ...], str] = {}


def show(
    request: HttpRequest,
    template: str,
    context: Callable[[], dict[str, Any]],
    *varies: Hashable,
    person: dict[str, str] | None = None,
) -> HttpResponse:
    """Returns the page that `template` makes of what `context` returns; perhaps from memory.

    Beside the request's path and language, nothing but `varies` may make a difference to the page that strangers see.
    `person` is for a page that a person who is signed in sees: texts about them by the names of variables, which the
    template may only show.
    """
    if settings.DEBUG or not is_plain(request, of_person=person is not None):
        return render(request, template, context() | (person or {}))
    values = {"csrf_token": get_token(request), **(person or {})}
    key = (template, request.path, get_language(), *varies)
    page = _pages.get(key)
    if page is None:
        page = with_blanks(render_to_string(template, context() | blanks(*values), request))
        if len(_pages) >= MOST:
            _pages.clear()
        _pages[key] = page
    return HttpResponse(fill(page, values))


def is_plain(request: HttpRequest, *, of_person: bool) -> bool:
    """Returns whether a request asks for a page, without a query, and brings no message or typed text.

    Unless the page is `of_person`, the request must not tell who asks, or was here before, either.
    """
    cookies = {f"{settings.COOKIE_PREFIX}messages", *([] if of_person else [settings.SESSION_COOKIE_NAME])}
    asks = request.method in {"GET", "HEAD"} and not request.META.get("QUERY_STRING")
    return asks and not hasattr(request, "typed") and cookies.isdisjoint(request.COOKIES)


def forget() -> None:
    """Forgets all pages, for tests that change settings."""
    _pages.clear()
