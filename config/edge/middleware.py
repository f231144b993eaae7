"""The outermost middleware: one log line per request, and no cookies or bodies that code further in cannot handle."""

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

MAX_BODY = 2 * 1024 * 1024  # bytes; the longest body that our pages send is a list of addresses
MAX_JSON = 64 * 1024  # bytes; parsed JSON takes many times its own size in memory
MAX_DRAIN = 32 * 1024 * 1024  # bytes that drain() reads at most, so that the sender sees the answer
SESSIONS = "/api/v1/auth/sessions/"  # the name of a session follows
ASKED_BY_PROXIES = {"/auth/verify"}  # before every request to the services behind the proxies
MAX_DIGITS = 18  # of a Content-Length; int() of a very long one would raise

GetResponse = Callable[[HttpRequest], HttpResponse]


def log_requests(get_response: GetResponse) -> GetResponse:
    """Returns middleware that gives each request a reference and logs one line when it has been answered.

    The reference, 10 hex digits, is sent in X-Request-Id and stands in every log line of the request.
    """

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
    """Returns the path of the request for the log, without the name of a session.

    A program may take a session's key, which is a secret, for its name, and secrets must not be logged.
    """
    return f"{SESSIONS}…" if request.path.startswith(SESSIONS) else request.path


def drop_disguised_cookies(get_response: GetResponse) -> GetResponse:
    """Returns middleware that drops cookies whose names hold more than printable ASCII.

    Django strips everything that Unicode calls a space from a name, and browsers do not. So any subdomain could set a
    __Host- cookie for this host, with such a space before its name.
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
    """Returns middleware that hands requests for ASKED_BY_PROXIES straight to their view.

    Proxies ask there before every request to the services behind them, so these requests load no session, choose no
    language and clear no cookie.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in ASKED_BY_PROXIES:
            return get_response(request)
        view, args, kwargs = resolve(request.path_info)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return middleware


def refuse_unreadable_bodies(get_response: GetResponse) -> GetResponse:
    """Returns middleware that refuses bodies by their headers, before they are read.

    It answers 400 for a Content-Length that is no number, 411 for a body in chunks, 413 for one over MAX_BODY or
    MAX_JSON, and 415 for one in another character set than UTF-8. Django would take a body in chunks for no body, and
    answer another character set with a bare 500, because its 400 page reads the body again.
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
    """Reads the body of a request and forgets it. Raises UnreadablePostError if the body breaks off.

    If the connection were closed while the body is being sent, the sender would not see the answer.
    """
    while request.read(64 * 1024):
        pass


def refuse_hostile_input(get_response: GetResponse) -> GetResponse:
    """Returns middleware that answers 400 for input that neither our forms nor sane programs send.

    Under /admin/ that is a NUL in the query or form. Elsewhere it is, in requests that may change something, whatever
    is_hostile() finds in a form or a JSON body, so that later code meets no surprise.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/admin/"):
            refused = has_nul(request.GET) or (request.method == "POST" and has_nul(request.POST))
        else:
            refused = request.method not in {"GET", "HEAD", "OPTIONS"} and is_hostile(request)
        return pages.bad_request(request) if refused else get_response(request)

    return middleware
