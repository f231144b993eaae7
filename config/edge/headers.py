"""Headers for browsers that Django does not know: what pages may do, and what is forgotten at sign-out."""

from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from config.edge import json_errors

FORBIDDEN = "accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen geolocation"
FORBIDDEN += (
    " gyroscope magnetometer microphone midi payment picture-in-picture screen-wake-lock usb xr-spatial-tracking"
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in FORBIDDEN.split())

SIGNED_OUT = "frontdoor.signed_out"  # key in request.META: this request has ended the session that it came with
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


@receiver(user_logged_out, dispatch_uid="config.edge.headers")
def note_sign_out(sender: type, request: HttpRequest, **_kwargs: object) -> None:
    """Receives Django's signal that the session of a request was ended, on a page, at a JSON door or at the desk."""
    request.META[SIGNED_OUT] = True


def signs_out(request: HttpRequest, response: HttpResponse) -> bool:
    """Returns whether this request has ended its browser's session, so that the response deletes the cookie.

    A cookie whose session had ended before is deleted, too, but says nothing about the sender. A session that another
    one replaces leaves the cookie in place.
    """
    cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
    return SIGNED_OUT in request.META and cookie is not None and not cookie.value
