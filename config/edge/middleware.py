"""The outermost layers: one log line per request, and cookies and bodies nobody should have to read."""

import logging
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from config.edge import pages
from config.edge.unacceptable_input import has_nul, is_hostile
from config.logs import reference

log = logging.getLogger("frontdoor.request")

MAX_BODY = 2 * 1024 * 1024  # bytes; the longest thing anyone sends is a list of addresses
MAX_JSON = 64 * 1024  # bytes; what is parsed takes many times its own size in memory
MAX_DRAIN = 32 * 1024 * 1024  # bytes read and thrown away so that the sender hears the answer
SESSIONS = "/api/v1/auth/sessions/"  # and the name of one
ASKED_BY_PROXIES = {"/auth/verify"}  # once for every request to the services behind them
MAX_DIGITS = 18  # of a length

GetResponse = Callable[[HttpRequest], HttpResponse]


def log_requests(get_response: GetResponse) -> GetResponse:
    """Names each request with a short reference and writes one line when it is over."""

    def middleware(request: HttpRequest) -> HttpResponse:
        reference.set(uuid.uuid4().hex[:10])
        started = time.perf_counter()
        response = get_response(request)
        elapsed = (time.perf_counter() - started) * 1000
        response["X-Request-Id"] = reference.get()
        log.info("%s %s %s %.1fms", request.method, path(request), response.status_code, elapsed)
        return response

    return middleware


def path(request: HttpRequest) -> str:
    """What was asked for. A session's name is left out: whoever takes its key for that must not find it in a log."""
    return f"{SESSIONS}…" if request.path.startswith(SESSIONS) else request.path


def drop_disguised_cookies(get_response: GetResponse) -> GetResponse:
    """Drops cookies whose names hold more than printable ASCII.

    Django strips all that Unicode calls a space from a name, browsers do not: any subdomain could set a __Host- cookie
    for this host, with such a space before its name.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent: str = request.META.get("HTTP_COOKIE", "")
        if not (sent.isascii() and sent.isprintable()):
            names = [(pair.partition("=")[0].strip(" \t"), pair) for pair in sent.split(";")]
            kept = [pair for name, pair in names if name.isascii() and name.isprintable()]
            request.META["HTTP_COOKIE"] = ";".join(kept)
        return get_response(request)

    return middleware


def answer_at_once(get_response: GetResponse) -> GetResponse:
    """Leaves what proxies ask to its view alone: no session is loaded, no language chosen, no cookie cleared."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in ASKED_BY_PROXIES:
            return get_response(request)
        view, args, kwargs = resolve(request.path_info)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return middleware


def refuse_unreadable_bodies(get_response: GetResponse) -> GetResponse:
    """411 for a body in chunks, 413 for one over MAX_BODY or MAX_JSON, 415 for one in another character set than UTF-8.

    Django would take the first for no body, and answer the last with a bare 500: its 400 page reads the body again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or len(length) > MAX_DIGITS:
            return pages.bad_request(request)
        if "Transfer-Encoding" in request.headers:
            return pages.length_required(request)
        if int(length) > (MAX_JSON if request.content_type == "application/json" else MAX_BODY):
            if int(length) <= MAX_DRAIN:
                drain(request)
            return pages.too_large(request)
        if (request.content_params or {}).get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            return pages.unsupported(request)
        return get_response(request)

    return middleware


def drain(request: HttpRequest) -> None:
    """Reads and forgets what is being sent: a connection closed in the middle hides the answer."""
    while request.read(64 * 1024):
        pass


def refuse_hostile_input(get_response: GetResponse) -> GetResponse:
    """400 for what no form of ours can send: control characters, half characters, a field given twice, a novel.

    The same for JSON, and for what is none: whoever parses it later meets no surprise.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/admin/"):
            refused = has_nul(request.GET) or (request.method == "POST" and has_nul(request.POST))
        else:
            refused = request.method not in {"GET", "HEAD", "OPTIONS"} and is_hostile(request)
        return pages.bad_request(request) if refused else get_response(request)

    return middleware
