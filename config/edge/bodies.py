"""Bounds of what a request may bring: bodies are refused by their headers, before anything is read."""

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from config.edge import pages
from config.edge.openid_paths import AUTHORIZE, LOGOUT
from config.edge.unacceptable_input import has_nul, is_hostile
from kit.json_door import FORMS
from kit.limits import LARGE_BODY_PER_NETWORK
from kit.page import DESK, is_of_desk
from kit.rate_limit import Limited

MAX_BODY = 64 * 1024  # bytes; a form has a few fields, and parsed JSON takes many times its own size in memory
MAX_LIST = 2 * 1024 * 1024  # bytes of the only long form, which takes a list of people
LISTS = f"{DESK}invites/batch/"  # the pages of that form, at the desk
MAX_DRAIN = 8 * 1024 * 1024  # bytes that drain() reads at most, as many as deploy/nginx.conf lets pass
FORMS_OF_APPS = {AUTHORIZE, LOGOUT}  # pages whose forms are of other sites
MAX_FIELDS = 100  # of a form outside the desk; ours have a dozen, and each costs more than a line of text
MAX_DIGITS = 18  # of a Content-Length; int() of a very long one would raise

GetResponse = Callable[[HttpRequest], HttpResponse]


def refuse_unreadable_bodies(get_response: GetResponse) -> GetResponse:
    """Returns middleware that refuses bodies by their headers, before they are read.

    It answers 400 for a Content-Length that is no number, 411 for a body in chunks, 413 for one over MAX_BODY or, if it
    may be a list, MAX_LIST, 429 where a network has sent more such bodies than LARGE_BODY_PER_NETWORK allows, and 415
    for one in another character set than UTF-8. Django would take a body in chunks for no body, and answer another
    character set with a bare 500, because its 400 page reads the body again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = request.META.get("CONTENT_LENGTH") or "0"
        if not sent.isdecimal() or len(sent) > MAX_DIGITS:
            return pages.bad_request(request)
        if "Transfer-Encoding" in request.headers:
            return pages.length_required(request)
        if int(sent) > MAX_BODY and (refused := refuse_large_body(request)):
            return refused
        if (request.content_params or {}).get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            return pages.unsupported(request)
        return get_response(request)

    return middleware


def refuse_large_body(request: HttpRequest) -> HttpResponse | None:
    """Counts a body over MAX_BODY; returns the 429 or 413 page, or None for one that may be a list of people."""
    try:
        LARGE_BODY_PER_NETWORK.check_network(request)
    except Limited as reached:
        return pages.limited(request, reached)
    if request.path_info.startswith(LISTS) and request.content_type in FORMS and length(request) <= MAX_LIST:
        return None
    drain(request)
    return pages.too_large(request)


def refuse_lists_of_strangers(get_response: GetResponse) -> GetResponse:
    """Returns middleware that leads whoever may not enter the desk, and sends a list there, to the sign-in page.

    Else a stranger's list would be parsed before the page asked who sends it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if length(request) <= MAX_BODY or is_staff(request):
            return get_response(request)
        drain(request)
        return redirect_to_login(request.path)

    return middleware


def refuse_hostile_input(get_response: GetResponse) -> GetResponse:
    """Returns middleware that answers 400 for input that neither our forms nor sane programs send.

    That is a body which has broken off, or has more than MAX_FIELDS and is not of staff; at the desk also a NUL in
    the query or form. Elsewhere it is, in requests that may change something, whatever is_hostile() finds in a form or
    a JSON body, so that later code meets no surprise. Only the FORMS_OF_APPS meet it: they become queries, which are
    checked there.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            refused = has_broken_off(request) or has_many_fields(request) or is_refused(request)
        except UnreadablePostError:  # the visitor has left while the body was read
            refused = True
        return pages.bad_request(request) if refused else get_response(request)

    return middleware


def has_broken_off(request: HttpRequest) -> bool:
    """Returns whether less of the body has come than Content-Length says; a list is not looked at.

    The web server passes on what has come before the visitor left: a form that lost its end must not count as sent.
    Raises UnreadablePostError if the body cannot be read.
    """
    return 0 < length(request) <= MAX_BODY and len(request.body) < length(request)


def has_many_fields(request: HttpRequest) -> bool:
    """Returns whether a form that is not parsed yet seems to have more than MAX_FIELDS, and is not sent by staff.

    Raises UnreadablePostError if the body cannot be read.
    """
    if request.content_type not in FORMS or not 0 < length(request) <= MAX_BODY:
        return False
    separator = b"&" if request.content_type == FORMS[0] else b"--"
    return request.body.count(separator) > MAX_FIELDS and not is_staff(request)


def is_refused(request: HttpRequest) -> bool:
    """Returns whether the query or the body of a request holds what no form or program of ours sends.

    Raises UnreadablePostError if the body cannot be read.
    """
    if is_of_desk(request):
        return has_nul(request.GET) or (request.method == "POST" and has_nul(request.POST))
    is_checked = request.method not in {"GET", "HEAD", "OPTIONS"} and request.path_info not in FORMS_OF_APPS
    return is_checked and is_hostile(request)


def is_staff(request: HttpRequest) -> bool:
    """Returns whether somebody is signed in who may enter the desk."""
    return is_of_desk(request) and request.user.is_authenticated and request.user.is_staff


def length(request: HttpRequest) -> int:
    """Returns the Content-Length of a request that refuse_unreadable_bodies() has let pass; 0 without one."""
    return int(request.META.get("CONTENT_LENGTH") or 0)


def drain(request: HttpRequest) -> None:
    """Reads the body of a request and forgets it, if it has at most MAX_DRAIN bytes.

    If the connection were closed while the body is being sent, the sender would not see the answer. A sender who leaves
    meanwhile is no error.
    """
    if length(request) > MAX_DRAIN:
        return
    try:
        while request.read(1024 * 1024):
            pass
    except UnreadablePostError:
        return
