"""What all JSON endpoints share: how a body becomes fields, and how it is said what is wrong.

An error is `{"errors": [{"field": …, "code": …, "message": …}]}`: which field it is about or null, a code that never
changes, and a sentence in the language that was asked for.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from kit import rate_limit

SILENT = messages.ERROR + 1  # above all levels

Fields = dict[str, str]
View = Callable[..., HttpResponseBase]

# What forms find, where HTTP has a word of its own for it.
STATUSES = {"mismatch": 401, "proof": 403, "taken": 409}


class Refused(Exception):
    """What a program is told instead of what it wanted."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.errors: list[dict[str, Any]] = [{"field": field, "code": code, "message": message}]


class Invalid(Refused):
    """What a form says of what was sent."""

    def __init__(self, form: forms.BaseForm) -> None:
        said = [(name, error) for name, some in form.errors.get_json_data().items() for error in some]
        status = next((STATUSES[error["code"]] for _name, error in said if error["code"] in STATUSES), 400)
        super().__init__(status, "invalid", "")
        self.errors = [
            {"field": None if name == "__all__" else name, "code": error["code"], "message": error["message"]}
            for name, error in said
        ]


def endpoint(
    method: str, limit: rate_limit.Limit | None = None, guard: Callable[[View], View] | None = None
) -> Callable[[View], View]:
    """For views of `request` and the fields of its JSON body; answers what is Refused or Limited.

    `limit` counts by network whatever may change something; `guard` decides who may come in.
    """

    def decorator(view: View) -> View:
        inner = guard(view) if guard else view
        inner = rate_limit.per_network(limit)(inner) if limit else inner

        @never_cache
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            silence(request)
            try:
                check_method(request, method)
                return inner(request, fields(request), *args, **kwargs)
            except rate_limit.Limited as reached:
                return refusal(Refused(429, "limited", reached.words, Retry_After=str(reached.seconds)))
            except Refused as refused:
                return refusal(refused)

        return wrapper

    return decorator


def silence(request: HttpRequest) -> None:
    """The answer says what has happened, and no page that is opened next."""
    messages.set_level(request, SILENT)


def check_method(request: HttpRequest, method: str) -> None:
    allowed = ["GET", "HEAD"] if method == "GET" else [method]
    if request.method not in allowed:
        said = _("Only %(method)s is possible here.") % {"method": method}
        raise Refused(405, "method", said, Allow=", ".join(allowed))


def fields(request: HttpRequest) -> Fields:
    """What the body says. All our fields are texts; null is as good as nothing. Raises Refused."""
    sent = body(request)
    for name, value in sent.items():
        if not isinstance(value, str | None):
            raise Refused(400, "invalid", _("This must be a text. Nothing has changed."), name)
    return {name: value for name, value in sent.items() if value is not None}


def body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent; a look needs none. Raises Refused."""
    if request.method in {"GET", "HEAD"} or not int(request.META.get("CONTENT_LENGTH") or 0):
        return {}
    if request.content_type != "application/json":
        raise Refused(415, "unsupported", _("Send JSON in UTF-8, as application/json. Nothing has changed."))
    try:
        sent = json.loads(request.body.decode())
    except (ValueError, RecursionError):  # too deep for us, who stand deeper than any middleware
        sent = None
    if not isinstance(sent, dict):
        raise Refused(400, "malformed", _("Send one JSON object. Nothing has changed."))
    return sent


def message(said: str, status: int = 200, **more: Any) -> HttpResponse:
    return JsonResponse({"message": said, **more}, status=status)


def refusal(refused: Refused, **more: Any) -> HttpResponse:
    return JsonResponse({"errors": refused.errors, **more}, status=refused.status, headers=refused.headers)
