"""The shared parts of all JSON doors: how a body is read, and how errors are answered.

An error is `{"errors": [{"field": …, "code": …, "message": …}]}`: the field it is about or null, a code that never
changes, and a sentence in the language of the request.
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

from kit import lane, rate_limit

SILENT = messages.ERROR + 1  # above all levels of messages

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Fields = dict[str, Any]
View = Callable[..., HttpResponseBase]


class Refused(Exception):
    """An error that becomes the door's JSON answer, with this status and these headers.

    `code` never changes, for programs; `message` is a sentence for the user; `field` is the field that the error is
    about, None for no single one. `more` are further members of the JSON object, beside "errors".
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
    """A Refused with all errors of `form`, which is invalid.

    The status is 400, or that which `statuses` names for the code of an error, as in `taken=409`; the first such error
    decides. `names` maps the form's field names to those that programs use; an error of the whole form has the field
    null. `more` are further members of the JSON object.
    """

    def __init__(
        self,
        form: forms.BaseForm,
        names: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
        **statuses: int,
    ) -> None:
        said = [(name, error) for name, some in form.errors.get_json_data().items() for error in some]
        status = next((statuses[error["code"]] for _name, error in said if error["code"] in statuses), 400)
        super().__init__(status, "invalid", "")
        self.more = {**(more or {})}
        called = {"__all__": None, **(names or {})}
        self.errors = [
            {"field": called.get(name, name), "code": error["code"], "message": error["message"]}
            for name, error in said
        ]


def door(
    method: str,
    limit: rate_limit.PerNetwork | None = None,
    *,
    guard: Callable[[View], View] | None = None,
    flags: tuple[str, ...] = (),
    objects: tuple[str, ...] = (),
    form: bool = False,
) -> Callable[[View], View]:
    """Returns a decorator that makes a JSON door of a view, which is called with `request` and the fields of the body.

    The door answers in JSON where the view or `guard` raises Refused or Limited, for another method (405), and for a
    bad body (400, 415). `limit` counts unsafe requests by network; `guard` wraps the view and decides who may enter;
    `flags` names the boolean fields, `objects` those that hold an object of texts. With `form=True` the body is an HTML
    form, and the answer may lead the browser on to another site: a 302 becomes a 303.
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
                return inner(request, fields(request, flags, objects), *args, **kwargs)
            answer = inner(request, form_fields(request), *args, **kwargs)
            if answer.status_code == HTTPStatus.FOUND:
                answer.status_code = HTTPStatus.SEE_OTHER  # the browser must GET the target, and never post to it again
            return answer

        return wrapper

    return decorator


def answering(view: View) -> View:
    """Returns a view that answers in JSON where `view` raises Refused, Limited (429) or Full (503).

    The last two come with Retry-After. It also drops the messages that `view` adds to the request, as silence() does.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        silence(request)
        try:
            return view(request, *args, **kwargs)
        except lane.Full as full:
            return refusal(Refused(503, "busy", str(full.words), headers={"Retry-After": str(full.seconds)}))
        except rate_limit.Limited as reached:
            return refusal(Refused(429, "limited", reached.words, headers={"Retry-After": str(reached.seconds)}))
        except Refused as refused:
            return refusal(refused)

    return wrapper


def by_method(**doors: View) -> View:
    """Returns a view that calls a door by the request's method: `by_method(GET=…, POST=…)`.

    The door for GET also gets HEAD. Other methods are answered with 405, in JSON.
    """

    @never_cache
    @answering
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = "GET" if request.method == "HEAD" else str(request.method)
        if asked not in doors:
            raise wrong_method(*doors)
        return doors[asked](request, *args, **kwargs)

    return view


def silence(request: HttpRequest) -> None:
    """Makes the request drop the messages that are added to it from now on (django.contrib.messages).

    The JSON answer says what has happened. Otherwise the messages would appear on the next page that the browser opens.
    """
    messages.set_level(request, SILENT)


def check_method(request: HttpRequest, method: str) -> None:
    """Raises Refused (405, with Allow) unless the method of the request is `method`; HEAD counts as GET."""
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        raise wrong_method(method)


def wrong_method(*allowed: str) -> Refused:
    """Returns the Refused for a method that is not among `allowed`: 405 with an Allow header."""
    said = _("Possible here: %(method)s.") % {"method": ", ".join(allowed)}
    names = [name for method in allowed for name in (["GET", "HEAD"] if method == "GET" else [method])]
    return Refused(405, "method", said, headers={"Allow": ", ".join(names)})


def fields(request: HttpRequest, flags: tuple[str, ...] = (), objects: tuple[str, ...] = ()) -> Fields:
    """Returns the fields of the JSON body, without those that are null; {} if body() finds none.

    Raises Refused: 415 for another content type; 400 for a body that is no JSON object, for a field in `flags` that is
    no boolean, for one in `objects` that is no object of texts, and for any other field that is no text.
    """
    sent = body(request)
    for name, value in sent.items():
        if name in flags and not isinstance(value, bool | None):
            raise Refused(400, "invalid", _("This must be true or false. Nothing has changed."), name)
        if name in objects and not is_of_texts(value):
            raise Refused(400, "invalid", _("This must be an object of texts. Nothing has changed."), name)
        if name not in flags + objects and not isinstance(value, str | None):
            raise Refused(400, "invalid", _("This must be a text. Nothing has changed."), name)
    return {name: value for name, value in sent.items() if value is not None}


def is_of_texts(value: Any) -> bool:
    """Returns whether a value of JSON is an object of texts or nulls, or null itself."""
    return value is None or (isinstance(value, dict) and all(isinstance(one, str | None) for one in value.values()))


def form_fields(request: HttpRequest) -> Fields:
    """Returns the fields of a posted HTML form, of each the last value.

    Raises Refused (415) for a content type that is neither missing nor that of a form.
    """
    if request.content_type not in {"", *FORMS}:
        raise Refused(415, "unsupported", _("Send a form here, as browsers do. Nothing has changed."))
    return request.POST.dict()


def body(request: HttpRequest) -> dict[str, Any]:
    """Returns the JSON object that was sent, or {} for GET, for HEAD, and where Content-Length is 0 or missing.

    Raises Refused: 415 for another content type, 400 for a body that is no JSON object.
    """
    if request.method in {"GET", "HEAD"} or not int(request.META.get("CONTENT_LENGTH") or 0):
        return {}
    if request.content_type != "application/json":
        raise Refused(415, "unsupported", _("Send JSON in UTF-8, as application/json. Nothing has changed."))
    try:
        sent = json.loads(request.body.decode())
    except (ValueError, RecursionError):  # nested too deeply for a stack as deep as ours is here
        sent = None
    if not isinstance(sent, dict):
        raise Refused(400, "malformed", _("Send one JSON object. Nothing has changed."))
    return sent


def message(said: str, status: int = 200, **more: Any) -> HttpResponse:
    """Returns a JSON answer: `said`, a sentence for the user, as "message", and `more` as further members."""
    return JsonResponse({"message": said, **more}, status=status)


def refusal(refused: Refused, **more: Any) -> HttpResponse:
    """Returns the JSON answer for `refused`, with its status and headers; `more` are members beside its own."""
    told = {"errors": refused.errors, **refused.more, **more}
    return JsonResponse(told, status=refused.status, headers=refused.headers)
