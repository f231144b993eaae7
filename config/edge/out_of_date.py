"""The answer to a form whose CSRF token is not that of this browser, or that another site has sent."""

import logging
import re
from http import HTTPStatus
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import ResolverMatch
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from config.edge import json_errors
from kit.page import is_of_desk, sent_fields, show_again

log = logging.getLogger("frontdoor.errors")

# How Django begins the reasons that are about the token and its cookie, not about where a form came from.
OUT_OF_DATE = "CSRF "
LEAD_ON = {"account_login", "mfa_authenticate"}

MARK = b"<!-- out of date -->"  # where templates/notes.html has the place of the notice
FORM = re.compile(r'<form [^>]*method="post"(?: [^>]*?action="([^"?]*)|(?![^>]* action=))')


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Returns the page again whose form failed the CSRF check, with what was typed (403); JSON for programs.

    Nothing of what was sent is done. A page that leads on, as sign-in does for whoever has signed in by another tab,
    leads on. What another site sent is not shown, and the desk's pages, which can't be filled in, offer to send the
    same again. Logs `reason`, without what it quotes.
    """
    log.warning("csrf refused: %s", reason.partition(" - ")[0])  # the rest quotes the Referer, a stranger's text
    if answer := json_errors.answer(request, 403):
        return answer
    without_cookie = reason == REASON_NO_CSRF_COOKIE
    if reason.startswith(OUT_OF_DATE) and not is_of_desk(request):
        return page_again(request, without_cookie=without_cookie)
    again = sent_here(request) if reason.startswith(OUT_OF_DATE) else []  # else another site may have sent it
    return render(request, "errors/csrf.html", {"again": again, "without_cookie": without_cookie}, status=403)


def page_again(request: HttpRequest, *, without_cookie: bool) -> HttpResponseBase:
    """Returns the page that was posted to as a GET would show it, with what was typed, and says what happened (403).

    Where the page redirects, the message is for the next one. The pages of LEAD_ON need none: they lead on whoever is
    signed in by now, and others they tell themselves what is missing.
    """
    match = cast("ResolverMatch", request.resolver_match)
    request.is_out_of_date = True  # type: ignore[attr-defined]  # templates/notes.html leaves a place for the notice
    page = cast("HttpResponse", show_again(match.func, request, *match.args, **match.kwargs))
    if page.status_code == HTTPStatus.OK:
        page.status_code = HTTPStatus.FORBIDDEN
    elif page.has_header("Location") and match.url_name not in LEAD_ON:
        messages.warning(request, _("The page was out of date, so nothing has changed. Try once more."))
    if MARK in page.content:
        page.content = page.content.replace(MARK, notice(request, page, without_cookie=without_cookie).encode())
    return page


def notice(request: HttpRequest, page: HttpResponse, *, without_cookie: bool) -> str:
    """Returns the notice, as HTML, why nothing was done, and what to do if the page has the form that was sent.

    A form fits its cookie until the next sign-in: whoever is signed in has signed in since they opened the page.
    """
    forms = FORM.findall(page.content.decode())
    said = {"without_cookie": without_cookie, "has_form": bool({"", request.path}.intersection(forms))}
    return render_to_string("out_of_date.html", said | {"user": request.user})


def sent_here(request: HttpRequest) -> list[tuple[str, str]]:
    """Returns the fields of a form that a page of this site sent, for its user to send them again; [] for any other.

    Passwords are left out.
    """
    if request.headers.get("Origin") != f"{request.scheme}://{request.get_host()}":
        return []
    return [(name, value) for name, value in sent_fields(request) if "password" not in name]
