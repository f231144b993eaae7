"""What all JSON doors share: how a body becomes fields, and how it is said what is wrong.

An error is `{"errors": [{"field": …, "code": …, "message": …}]}`: which field it is about or null, a code that never
changes, and a sentence in the language that was asked for.
"""

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from kit import rate_limit

SILENT = messages.ERROR + 1  # above all levels

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Fields = dict[str, Any]
View = Callable[..., HttpResponseBase]


class Refused(Exception):
    """What a program is told instead of what it wanted.

    `field` is what it is about, `more` stands beside the errors, and `headers` are sent along.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.headers, self.more = status, code, headers or {}, more
        self.errors: list[dict[str, Any]] = [{"field": field, "code": code, "message": message}]


class Invalid(Refused):
    """What a form says of what was sent: 400, or another status that `statuses` name for one of its codes.

    `names` are those of fields that programs know by another name than the form does.
    """

    def __init__(self, form: forms.BaseForm, names: dict[str, str] | None = None, **statuses: int) -> None:
        said = [(name, error) for name, some in form.errors.get_json_data().items() for error in some]
        status = next((statuses[error["code"]] for _name, error in said if error["code"] in statuses), 400)
        super().__init__(status, "invalid", "")
        called = {"__all__": None, **(names or {})}
        self.errors = [
            {"field": called.get(name, name), "code": error["code"], "message": error["message"]}
            for name, error in said
        ]


def door(
    method: str,
    limit: rate_limit.Limit | None = None,
    *,
    guard: Callable[[View], View] | None = None,
    flags: tuple[str, ...] = (),
    form: bool = False,
) -> Callable[[View], View]:
    """For views of `request` and the fields of its JSON body; answers what is Refused or Limited.

    `limit` counts by network whatever may change something; `guard` decides who may come in; `flags` are the fields
    that are true or false. With `form` the body is a form, as a browser sends one that goes on to another site.
    """

    def decorator(view: View) -> View:
        inner = guard(view) if guard else view
        inner = rate_limit.per_network(limit)(inner) if limit else inner

        @never_cache
        @answering
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            check_method(request, method)
            if not form:
                return inner(request, fields(request, flags), *args, **kwargs)
            answer = inner(request, form_fields(request), *args, **kwargs)
            if answer.status_code == HTTPStatus.FOUND:
                answer.status_code = HTTPStatus.SEE_OTHER  # what it leads to is only to be looked at
            return answer

        return wrapper

    return decorator


def answering(view: View) -> View:
    """Answers in JSON what a view raises of Refused and Limited."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        silence(request)
        try:
            return view(request, *args, **kwargs)
        except rate_limit.Limited as reached:
            return refusal(Refused(429, "limited", reached.words, headers={"Retry-After": str(reached.seconds)}))
        except Refused as refused:
            return refusal(refused)

    return wrapper


def by_method(**doors: View) -> View:
    """One address with a door for each method, GET=…, POST=…"""

    @never_cache
    @answering
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = "GET" if request.method == "HEAD" else str(request.method)
        if asked not in doors:
            raise wrong_method(*doors)
        return doors[asked](request, *args, **kwargs)

    return view


def silence(request: HttpRequest) -> None:
    """The answer says what has happened, and no page that is opened next."""
    messages.set_level(request, SILENT)


def check_method(request: HttpRequest, method: str) -> None:
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        raise wrong_method(method)


def wrong_method(*allowed: str) -> Refused:
    said = _("Possible here: %(method)s.") % {"method": ", ".join(allowed)}
    names = [name for method in allowed for name in (["GET", "HEAD"] if method == "GET" else [method])]
    return Refused(405, "method", said, headers={"Allow": ", ".join(names)})


def fields(request: HttpRequest, flags: tuple[str, ...] = ()) -> Fields:
    """What the body says. All our fields are texts, or flags; null is as good as nothing. Raises Refused."""
    sent = body(request)
    for name, value in sent.items():
        if name in flags and not isinstance(value, bool | None):
            raise Refused(400, "invalid", _("This must be true or false. Nothing has changed."), name)
        if name not in flags and not isinstance(value, str | None):
            raise Refused(400, "invalid", _("This must be a text. Nothing has changed."), name)
    return {name: value for name, value in sent.items() if value is not None}


def form_fields(request: HttpRequest) -> Fields:
    """What a form says. Raises Refused."""
    if request.content_type not in {"", *FORMS}:
        raise Refused(415, "unsupported", _("Send a form here, as browsers do. Nothing has changed."))
    return request.POST.dict()


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
    told = {"errors": refused.errors, **refused.more, **more}
    return JsonResponse(told, status=refused.status, headers=refused.headers)
