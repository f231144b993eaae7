"""Headers for browsers that Django does not know: what pages may do, and what is forgotten at sign-out."""

from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.edge import json_errors

FORBIDDEN = "accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen geolocation"
FORBIDDEN += (
    " gyroscope magnetometer microphone midi payment picture-in-picture screen-wake-lock usb xr-spatial-tracking"
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in FORBIDDEN.split())

# The pages whose POST ends a session.
SIGN_OUTS = {"account_logout", "account_logout_here", "account_delete"}
# Services on this host may have stored what they know of the person. Not "cookies": that takes those of all other hosts
# of the domain, too, and this browser would be an unknown device. Not "cache": it stops Chromium for seconds
# (crbug.com/40233601), and no page of a person is ever stored in it (Cache-Control: no-store).
CLEAR_SITE_DATA = '"storage", "prefetchCache", "prerenderCache"'


def send_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Returns middleware that sends Permissions-Policy, Cross-Origin-Resource-Policy and, at sign-out, Clear-Site-Data.

    A page with a token in its address also tells nobody more of it than the site's origin, not even this site's files:
    Referrer-Policy is strict-origin there. Forms still send their Origin.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if names_secret(request):
            response.headers["Referrer-Policy"] = "strict-origin"
        if signs_out(request, response):
            response.headers["Clear-Site-Data"] = CLEAR_SITE_DATA
        return response

    return middleware


def names_secret(request: HttpRequest) -> bool:
    """Returns whether the address holds a token, perhaps inside the address of another page, or a code of Google's."""
    query: str = request.META.get("QUERY_STRING", "")
    return bool(query) and ("token" in unquote(unquote(query)).lower() or request.path == json_errors.PEOPLE)


def signs_out(request: HttpRequest, response: HttpResponse) -> bool:
    """Returns whether a page of SIGN_OUTS has ended the session of this request."""
    page = request.resolver_match.url_name if request.resolver_match else ""
    ended = (
        settings.SESSION_COOKIE_NAME in response.cookies and not response.cookies[settings.SESSION_COOKIE_NAME].value
    )
    return ended and page in SIGN_OUTS
