"""Middleware for every page: language and time zone, known devices, stale cookies, reached limits."""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.urls import ResolverMatch, reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from accounts import preferences
from accounts.session import devices
from accounts.session.notes import CHOSEN
from kit.form import safe_path
from kit.lane import Full
from kit.page import is_of_desk, show_again
from kit.rate_limit import Limited

OK = 200


class AccountLocaleMiddleware(LocaleMiddleware):
    """Middleware that activates the account's language, else that of the language cookie, else the browser's.

    At the desk it is one of those that the desk speaks. It also activates the account's time zone, or UTC if none is
    chosen. Sessions hold a copy of both settings, so reading them costs no query.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        timezone.deactivate()  # this thread may still have the last visitor's
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            preferences.activate(request.session.get(CHOSEN, {}))
        if is_of_desk(request):
            translation.activate(preferences.of_desk(translation.get_language()))
        request.LANGUAGE_CODE = translation.get_language()


def remember_devices(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Returns a middleware that sets the cookie by which this browser counts as a known device of an account.

    It sets the cookie on answers to requests that devices.mark_known() has marked, such as every sign-in.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        devices.set_cookie(request, response)
        return response

    return middleware


def forget_stale_sessions(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Returns a middleware that ends a session, and clears its cookie, if its user is deleted or deactivated.

    So it does if only a copy of the session is left in Redis. It looks only at requests for which a page has read
    `request.user`. Django itself clears the cookies of all other sessions that have ended.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        looked_at = hasattr(request, "_cached_user")  # a page that never reads request.user must cost no query
        if looked_at and not request.user.is_authenticated and SESSION_KEY in request.session:
            request.session.flush()
        return response

    return middleware


class LimitMiddleware:
    """Middleware that answers Limited with the 429 page, which says when to try again, and Full with the 503 page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Returns the 429 page for Limited, the 503 page for Full, both with Retry-After; None for other exceptions."""
        if isinstance(exception, Full):
            return busy(request, exception)
        if not isinstance(exception, Limited):
            return None
        codes = request.path == reverse("mfa_authenticate")
        context = {"limit": exception, "way_in": way_in(request), "codes": codes}
        response = render(request, "errors/429.html", context, status=429)
        response["Retry-After"] = str(exception.seconds)
        add_never_cache_headers(response)
        return response


def busy(request: HttpRequest, full: Full) -> HttpResponseBase:
    """Returns the page that was posted to, with what was typed, and says that others came first (503).

    At the desk, whose pages can't be filled in again, and where there is no such page any more, as after another press
    of the same link, it is a page that says so.
    """
    match = cast("ResolverMatch", request.resolver_match)
    page: HttpResponseBase | None = None
    if not is_of_desk(request):
        messages.warning(request, full.words)
        page = show_again(match.func, request, *match.args, **match.kwargs)
    if page is None or page.status_code != OK:
        list(messages.get_messages(request))  # the page itself says it
        page = render(request, "errors/busy.html", {"words": full.words})
    page.status_code = 503
    page["Retry-After"] = str(full.seconds)
    add_never_cache_headers(page)
    return page


def way_in(request: HttpRequest) -> str:
    """Returns the path where a visitor whose tries of passwords are used up can ask for a link by mail.

    The path keeps the posted `next`, if that is safe. Returns "" if the limit was reached on any page but sign-in.
    """
    if request.path != reverse("account_login"):
        return ""
    next_url = safe_path(request.POST.get("next", ""))
    return reverse("entry") + (f"?{urlencode({'next': next_url})}" if next_url else "")
