"""Errors outside the JSON doors, answered in JSON to programs; browsers get a page."""

from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.utils import translation
from django.utils.translation import gettext_noop

from config.edge.openid_paths import DOCUMENTS, DOORS
from kit.json_door import FORMS

PROGRAMS = "/api/"
PEOPLE = "/api/v1/auth/google/response"  # Google sends browsers back to it, so its errors are pages

UNKEPT = {"Cache-Control": "no-store"}

HTTPS = gettext_noop("Nothing was done: use https. What was sent over http may have been read on the way.")

SAID = {
    400: (
        "malformed",
        gettext_noop(
            "We couldn’t read what was sent, and nothing has changed. Send one JSON object in UTF-8, with each name "
            "once and without NUL characters."
        ),
    ),
    401: ("signed_out", gettext_noop("Your session has ended. Sign in to carry on.")),
    403: (
        "csrf",
        gettext_noop(
            "Nothing has changed: send the header X-CSRFToken with the csrf_token that GET /api/v1/auth/session gives, "
            "its cookies, and Origin with the address of this site."
        ),
    ),
    404: ("not_found", gettext_noop("There is nothing at this address.")),
    411: ("length_required", gettext_noop("Say in Content-Length how long the body is. Nothing has changed.")),
    413: ("too_large", gettext_noop("That’s more than we can take at once. Nothing has changed.")),
    415: ("unsupported", gettext_noop("Send JSON in UTF-8, as application/json. Nothing has changed.")),
    500: ("error", gettext_noop("There is a problem with the service. Try again in a few minutes.")),
    503: ("unavailable", gettext_noop("We’re fixing a problem on our side. Try again in a few minutes.")),
}


# In place of the one for 400 above, for the doors that take an HTML form.
MALFORMED_FORM = gettext_noop(
    "We couldn’t read what was sent, and nothing has changed. Send a form in UTF-8, as browsers do, each field once."
)

# For apps that speak OAuth: the word of the standard, and what it allows of English (RFC 6749 §5.2).
SAID_TO_APPS = {
    400: ("invalid_request", "The request could not be read. Send a form in UTF-8, each field once."),
    403: ("invalid_request", "Use https. What was sent over http may have been read on the way."),
    404: ("invalid_request", "There is nothing at this address. Discovery names all addresses."),
    411: ("invalid_request", "Say in Content-Length how long the body is."),
    413: ("invalid_request", "The body is too large."),
    415: ("invalid_request", "Send a form in UTF-8."),
    429: ("temporarily_unavailable", "Too many requests. Try again after the seconds in Retry-After."),
    500: ("server_error", "There is a problem with the service. Try again in a few minutes."),
    503: ("temporarily_unavailable", "There is a problem with the service. Try again in a few minutes."),
}


def answer(request: HttpRequest, status: int) -> JsonResponse | None:
    """Returns the JSON answer to a program for an error with this status, or None if a page should answer.

    The message is in the language of the request. `status` must be one of those in SAID.
    """
    if not is_for_programs(request):
        return None
    code, message = SAID[status]
    if status == HTTPStatus.BAD_REQUEST and request.content_type in FORMS:
        message = MALFORMED_FORM
    return refusal(request, status, code, message)


def is_for_programs(request: HttpRequest) -> bool:
    """Returns whether programs ask here, and not browsers."""
    return is_for_apps(request) or (request.path.startswith(PROGRAMS) and request.path != PEOPLE)


def is_for_apps(request: HttpRequest) -> bool:
    """Returns whether apps ask here, which speak OAuth: for tokens and the like, or for what they read before."""
    return request.path.startswith(DOORS) or request.path in DOCUMENTS


def refusal(request: HttpRequest, status: int, code: str, message: str) -> JsonResponse:
    """Returns the JSON answer with this status, code and message, which is put into the language of the request.

    Apps get the answer of OAuth with this status instead.
    """
    if is_for_apps(request):
        word, description = SAID_TO_APPS[status]
        return JsonResponse({"error": word, "error_description": description}, status=status, headers=UNKEPT)
    # Some requests are refused before the middleware that chooses the language: then the browser's language counts.
    with translation.override(getattr(request, "LANGUAGE_CODE", "") or translation.get_language_from_request(request)):
        error = {"field": None, "code": code, "message": translation.gettext(message)}
    return JsonResponse({"errors": [error]}, status=status, headers=UNKEPT)
