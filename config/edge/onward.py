"""No answer to a form is a redirect that browsers may refuse to follow."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.edge import json_errors
from config.edge.openid_paths import AUTHORIZE
from kit.onward import place_of, refresh_answer

REDIRECTS = {HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
OF_A_REDIRECT = {"Location", "Content-Type", "Content-Length"}  # headers that the page has itself, or not at all

GetResponse = Callable[[HttpRequest], HttpResponse]


def lead_on_by_a_page(get_response: GetResponse) -> GetResponse:
    """Returns middleware that puts a page in place of a redirect which leads a form off this site, or to an app.

    Chromium applies form-action to every hop after a form, and an app's own hops nobody can name. The page leads on by
    Refresh, and names the place as name_place() has noted it (kit/onward.py). Cookies and headers stay.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code not in REDIRECTS or not ends_form(request) or is_free(request, response["Location"]):
            return response
        page = refresh_answer(request, response["Location"], place_of(response))
        for header, value in response.items():
            if header not in OF_A_REDIRECT:
                page[header] = value
        page.cookies = response.cookies
        return page

    return middleware


def ends_form(request: HttpRequest) -> bool:
    """Returns whether a browser may have come here with a form, by itself or by way of Google."""
    by_google = request.path == json_errors.PEOPLE
    return by_google or (request.method == "POST" and not json_errors.is_for_programs(request))


def is_free(request: HttpRequest, url: str) -> bool:
    """Returns whether browsers follow a form to `url`: on this site, or where the policy lets forms lead.

    AUTHORIZE is not free: it leads on to an app.
    """
    there = urlsplit(urljoin(request.build_absolute_uri(), url))
    origin = f"{there.scheme}://{there.netloc}"
    if origin == f"{request.scheme}://{request.get_host()}":
        return there.path != AUTHORIZE
    policy: dict[str, Any] = settings.SECURE_CSP
    return origin in policy.get("form-action", ())
