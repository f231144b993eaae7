"""Health, and the pages for what went wrong."""

import logging
import sys
from collections.abc import Callable
from datetime import timedelta

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.cache import caches
from django.db import DatabaseError, Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.context import site
from config.edge import json_errors

log = logging.getLogger("frontdoor.errors")

PAUSE = timedelta(minutes=2)  # how long we ask people to wait for a lost database


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all; says nothing of the parts behind it."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest, mail_is_late: Callable[[], bool]) -> HttpResponse:
    """200 when this process can serve people, 503 without PostgreSQL; Redis and late mail are only reported."""
    cache = caches["sessions"].answers()  # type: ignore[attr-defined]
    database = database_answers()
    parts = {"database": database, "cache": cache, "mail": database and mail_is_quick(mail_is_late)}
    return JsonResponse(parts, status=200 if parts["database"] else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def mail_is_quick(mail_is_late: Callable[[], bool]) -> bool:
    try:
        return not mail_is_late()
    except Error:  # the database went away in this moment, or has no such table yet
        return False


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    # Django answers so, too, when a session is to be saved that has ended while the request was under way.
    status = 401 if isinstance(exception, SessionInterrupted) else 400
    return json_errors.answer(request, status) or standalone(request, "errors/400.html", 400)


def length_required(request: HttpRequest) -> HttpResponse:
    return json_errors.answer(request, 411) or standalone(request, "errors/400.html", 411)


def too_large(request: HttpRequest) -> HttpResponse:
    return json_errors.answer(request, 413) or standalone(request, "errors/413.html", 413)


def unsupported(request: HttpRequest) -> HttpResponse:
    return json_errors.answer(request, 415) or standalone(request, "errors/415.html", 415)


@never_cache
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    log.warning("csrf refused: %s", reason.partition(" - ")[0])  # the rest quotes a foreign Referer
    return json_errors.answer(request, 403) or render(request, "errors/csrf.html", status=403)


@never_cache
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return json_errors.answer(request, 404) or render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The 500 page; or, when it was the database that went away, the 503 page that says when to come back."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return unavailable(request)
    return json_errors.answer(request, 500) or standalone(request, "errors/500.html", 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    page = {"retry_at": timezone.now() + PAUSE}
    response = json_errors.answer(request, 503) or standalone(request, "errors/503.html", 503, **page)
    response["Retry-After"] = str(int(PAUSE.total_seconds()))
    return response


def standalone(request: HttpRequest, template: str, status: int, **context: object) -> HttpResponse:
    """A page that needs neither session, database nor the request's body, so that nothing can fail again."""
    with translation.override(translation.get_language_from_request(request)):
        page = render_to_string(template, site() | context)
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})
