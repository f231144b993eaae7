"""The outermost middleware: one log line per request, what proxies say, and questions that are answered at once."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from config.edge import json_errors, pages
from config.edge.bodies import refuse_hostile_input
from config.logs import reference

log = logging.getLogger("frontdoor.request")

SESSIONS = "/api/v1/auth/sessions/"  # the name of a session follows
SLASHES = re.compile("//+")
# Proxies ask the first before every request to the services behind them; balancers ask the others, by whatever name
# they call this host.
ANSWERED_AT_ONCE = {"/auth/verify", "/healthz", "/readyz"}
MAX_COOKIES = 16 * 1024  # characters of the Cookie header; browsers send more only if somebody stuffs them

GetResponse = Callable[[HttpRequest], HttpResponse]


def log_requests(get_response: GetResponse) -> GetResponse:
    """Returns middleware that gives each request a reference and logs one line when it has been answered.

    The reference, 10 hex digits, is sent in X-Request-Id and stands in every log line of the request. If the request
    was refused, the line says why.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        reference.set(uuid.uuid4().hex[:10])
        started = time.perf_counter()
        response = get_response(request)
        elapsed = (time.perf_counter() - started) * 1000
        response["X-Request-Id"] = reference.get()
        why = pages.why_refused(response)
        log.info("%s %s %s %.1fms%s", request.method, path(request), response.status_code, elapsed, why)
        return response

    return middleware


def path(request: HttpRequest) -> str:
    """Returns the path of the request for the log, without the name of a session.

    A program may take a session's key, which is a secret, for its name, and secrets must not be logged, however many
    slashes the program writes.
    """
    plain = SLASHES.sub("/", request.path)
    return f"{SESSIONS}…" if plain.lower().startswith(SESSIONS) else request.path


def drop_disguised_cookies(get_response: GetResponse) -> GetResponse:
    """Returns middleware that drops cookies whose names hold more than printable ASCII, and all if they are too long.

    Django strips everything that Unicode calls a space from a name, and browsers do not. So any subdomain could set a
    __Host- cookie for this host, with such a space before its name. Parsing a long header costs more than a page.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent: str = request.META.get("HTTP_COOKIE", "")
        if len(sent) > MAX_COOKIES:
            del request.META["HTTP_COOKIE"]
        elif not (sent.isascii() and sent.isprintable()):
            names = [(pair.partition("=")[0].strip(" \t"), pair) for pair in sent.split(";")]
            kept = [pair for name, pair in names if name.isascii() and name.isprintable()]
            request.META["HTTP_COOKIE"] = ";".join(kept)
        return get_response(request)

    return middleware


def read_scheme(get_response: GetResponse) -> GetResponse:
    """Returns middleware that reduces X-Forwarded-Proto to what the outermost of our proxies says, in lower case.

    Schemes are case-insensitive (RFC 3986 §3.1). If each proxy adds an entry, those before the last
    TRUSTED_PROXY_COUNT are the visitor's own claims; if only one proxy sets the header, its one entry counts.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if said := request.META.get("HTTP_X_FORWARDED_PROTO"):
            entries = said.lower().split(",")[-settings.TRUSTED_PROXY_COUNT :]
            request.META["HTTP_X_FORWARDED_PROTO"] = entries[0].strip()
        return get_response(request)

    return middleware


def answer_at_once(get_response: GetResponse) -> GetResponse:
    """Returns middleware that hands requests for ANSWERED_AT_ONCE straight to their view.

    These requests load no session, choose no language and clear no cookie, and nobody asks for which host they are.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in ANSWERED_AT_ONCE or request.method not in {"GET", "HEAD"}:
            return get_response(request)
        view, args, kwargs = resolve(request.path_info)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return middleware


def answer_apps(get_response: GetResponse) -> GetResponse:
    """Returns middleware that hands the questions of apps to their view, unless their body is_hostile().

    Apps bring a secret or a token, which is all that counts. So no session is loaded, no language chosen, no cookie
    set or cleared, and no CSRF token asked for. Their views answer Limited themselves (sso/doors.py).
    """

    def ask(request: HttpRequest) -> HttpResponse:
        request.get_host()  # raises DisallowedHost, as CommonMiddleware does for all others
        view, args, kwargs = resolve(request.path_info)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    ask_if_sane = refuse_hostile_input(ask)

    def middleware(request: HttpRequest) -> HttpResponse:
        return ask_if_sane(request) if json_errors.is_for_apps(request) else get_response(request)

    return middleware


def refuse_plain_http(get_response: GetResponse) -> GetResponse:
    """Returns middleware that answers 403 to a program which asks over http while the site is https.

    A redirect, as browsers get it, would let the program send its secrets in the clear for ever without a sign.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and json_errors.is_for_programs(request):
            return json_errors.refusal(request, 403, "https_required", json_errors.HTTPS)
        return get_response(request)

    return middleware
