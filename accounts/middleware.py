"""Language, devices, stale cookies and limits: what every page of the site shares."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from accounts import preferences
from accounts.session import devices
from accounts.session.notes import CHOSEN
from kit.form import same_site
from kit.rate_limit import Limited


class AccountLocaleMiddleware(LocaleMiddleware):
    """The language of the account, else of the language link's cookie, else of the browser; and its time zone.

    The account's choice is copied into its sessions, so that knowing it costs no query.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        timezone.deactivate()  # the last visitor of this thread had another
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            preferences.activate(request.session.get(CHOSEN, {}))
            request.LANGUAGE_CODE = translation.get_language()


def remember_devices(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Gives a browser that signed in the cookie by which it is known next time."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        devices.remember(request, response)
        return response

    return middleware


def forget_stale_sessions(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Clears the cookie of a session whose user is gone or deactivated; Django clears all other stale ones."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        looked_at = hasattr(request, "_cached_user")  # a page that never asks who it is for must cost no query
        if looked_at and not request.user.is_authenticated and SESSION_KEY in request.session:
            request.session.flush()
        return response

    return middleware


class LimitMiddleware:
    """Turns a reached limit into the 429 page that says when to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Limited):
            return None
        codes = request.path == reverse("mfa_authenticate")
        context = {"limit": exception, "way_in": way_in(request), "codes": codes}
        response = render(request, "errors/429.html", context, status=429)
        response["Retry-After"] = str(exception.seconds)
        add_never_cache_headers(response)
        return response


def way_in(request: HttpRequest) -> str:
    """Where a link can be asked for by somebody whose passwords are limited, and what it leads back to; or ""."""
    if request.path != reverse("account_login"):
        return ""
    next_url = same_site(request.POST.get("next", ""))
    return reverse("entry") + (f"?{urlencode({'next': next_url})}" if next_url else "")
