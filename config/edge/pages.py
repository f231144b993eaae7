"""Health checks, and the pages for errors."""

import re
import sys
from collections.abc import Callable
from datetime import timedelta

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.cache import caches
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import DatabaseError, Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.context import site
from config.edge import json_errors
from kit.form import safe_path
from kit.page import DESK
from kit.rate_limit import Limited

GLUED = re.compile(r"(?:[^\w-]|_)+$", re.ASCII)  # after an address: what no path of ours ends with

REASON = "frontdoor_reason"  # attribute of a response
LOGGED = 100  # characters of a Host that is not ours

PAUSE = timedelta(minutes=2)  # how long visitors are asked to wait while the database is away


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answers 200 while this process answers at all; checks none of the parts behind it. Other methods get 405."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest, mail_is_late: Callable[[], bool], hashes: Callable[[], int]) -> HttpResponse:
    """Answers 200 if this process can serve visitors, and 503 if PostgreSQL does not answer.

    The JSON says of "database", "cache" (Redis) and "mail" whether each is well; the last two do not change the status.
    "hashes" is the number of requests in this process that wait for a password hash.
    `mail_is_late` and `hashes` come from the site map, the only file of this room that may import others.
    """
    cache = caches["sessions"].answers()  # type: ignore[attr-defined]
    database = database_answers()
    parts = {"database": database, "cache": cache, "mail": database and mail_is_quick(mail_is_late)}
    parts |= {"hashes": hashes()}
    return JsonResponse(parts, status=200 if parts["database"] else 503)


def database_answers() -> bool:
    """Returns whether PostgreSQL answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def mail_is_quick(mail_is_late: Callable[[], bool]) -> bool:
    """Returns whether mail leaves in time, by `mail_is_late`; False, too, if that raises an error of the database."""
    try:
        return not mail_is_late()
    except Error:  # the database went away just now, or its migrations have not run
        return False


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Returns the 400 page, or JSON for programs.

    Programs get 401 instead if `exception` is a SessionInterrupted: their session ended while the request was under
    way.
    """
    # Django raises SessionInterrupted, and comes here, when the session ended while the request was under way.
    status = 401 if isinstance(exception, SessionInterrupted) else 400
    response = json_errors.answer(request, status) or render_standalone(request, "errors/400.html", 400)
    if isinstance(exception, SuspiciousOperation):
        host = f": {request.META.get('HTTP_HOST', '')[:LOGGED]}" if isinstance(exception, DisallowedHost) else ""
        setattr(response, REASON, f" {type(exception).__name__}{host}")
    return response


def why_refused(response: HttpResponse) -> str:
    """Returns what the log says of why Django refused a request, such as " DisallowedHost: evil.example"; or ""."""
    return getattr(response, REASON, "")


def length_required(request: HttpRequest) -> HttpResponse:
    """Returns the 400 page with status 411, or JSON for programs: the body came in chunks."""
    return json_errors.answer(request, 411) or render_standalone(request, "errors/400.html", 411)


def too_large(request: HttpRequest) -> HttpResponse:
    """Returns the 413 page, or JSON for programs: the body is too large."""
    return json_errors.answer(request, 413) or render_standalone(request, "errors/413.html", 413)


def limited(request: HttpRequest, reached: Limited) -> HttpResponse:
    """Returns the 429 page, or JSON for programs, with Retry-After in seconds."""
    # This thread may still have the language and the time zone of the last visitor.
    with translation.override(translation.get_language_from_request(request)), timezone.override(None):
        if json_errors.is_for_programs(request):
            response: HttpResponse = json_errors.refusal(request, 429, "limited", reached.words)
        else:
            response = render_standalone(request, "errors/429.html", 429, limit=reached)
    response["Retry-After"] = str(reached.seconds)
    return response


def unsupported(request: HttpRequest) -> HttpResponse:
    """Returns the 415 page, or JSON for programs: the body is in another character set than UTF-8."""
    return json_errors.answer(request, 415) or render_standalone(request, "errors/415.html", 415)


@never_cache
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Returns the 403 page, for browsers and programs alike."""
    return render(request, "errors/403.html", status=403)


@never_cache
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Returns the 404 page, or JSON for programs; or leads to the page that is meant by an address in a sentence.

    Mail programs and chats take a full stop, a bracket or invisible characters after a link for a part of it.
    """
    if answer := json_errors.answer(request, 404):
        return answer
    meant = GLUED.sub("", request.path)
    if request.method in {"GET", "HEAD"} and meant != request.path and is_page(meant):
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{meant}?{query}" if query else meant)
    return render(request, "errors/404.html", status=404)


def is_page(path: str) -> bool:
    """Returns whether a path is that of a page outside the desk, which has its own way with unknown addresses."""
    return bool(safe_path(path) and not f"{path}/".startswith(DESK) and is_valid_path(path))


def server_error(request: HttpRequest) -> HttpResponse:
    """Returns the 500 page, or JSON for programs.

    If the exception that is being handled says that the database is away, returns the 503 page of unavailable()
    instead.
    """
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return unavailable(request)
    return json_errors.answer(request, 500) or render_standalone(request, "errors/500.html", 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Returns the 503 page, or JSON for programs. Page and Retry-After say to come back after PAUSE."""
    page = {"retry_at": timezone.now() + PAUSE}
    response = json_errors.answer(request, 503) or render_standalone(request, "errors/503.html", 503, **page)
    response["Retry-After"] = str(int(PAUSE.total_seconds()))
    return response


def render_standalone(request: HttpRequest, template: str, status: int, **context: object) -> HttpResponse:
    """Returns a page from `template` that needs no session, no database and not the body of the request.

    It is for errors: nothing that may have caused one may be asked again. `context` is for the template. The language
    is that of the cookie or the browser.
    """
    with translation.override(translation.get_language_from_request(request)):
        page = render_to_string(template, site() | context)
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})
