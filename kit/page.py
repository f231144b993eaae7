"""The shared parts of all pages: allowed methods, limits, no caching, and forms bound to the request."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django import forms
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kit import rate_limit
from kit.form import Form, NextField, RequestForm

View = Callable[..., HttpResponseBase]

SHOW_AGAIN = "show_again"  # the name of buttons that only show the page again, in another way, with what was typed
BY_ITSELF = "by_itself"  # in the query of a page that a browser loads again without anybody there
MARK = "frontdoor_secret"  # attribute of a response
DESK = "/admin/"  # the path of the desk, which all its pages have before theirs


def page(
    limit: rate_limit.PerNetwork | None = None, *, secret: tuple[str, ...] = (), safe_only: bool = False
) -> Callable[[View], View]:
    """Returns a decorator for a page's view: it answers GET, HEAD and POST (405 for others) and is never cached.

    `safe_only` forbids POST. `limit` counts unsafe requests by the visitor's network; beyond it the decorated view
    raises Limited. The posted fields in `secret`, such as passwords, are left out of error reports; on a page with such
    fields, a POST by a button called SHOW_AGAIN does nothing but show the page again.
    """
    methods = ["GET", "HEAD"] if safe_only else ["GET", "HEAD", "POST"]

    def decorator(view: View) -> View:
        limited = rate_limit.per_network(limit)(view) if limit else view
        inner = never_cache(require_http_methods(methods)(limited))
        return answering_show_again(sensitive_post_parameters(*secret)(inner)) if secret else inner

    return decorator


def answering_show_again(view: View) -> View:
    """Returns a view that answers a POST by a button called SHOW_AGAIN by show_again(), and calls `view` for others."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        again = request.method == "POST" and SHOW_AGAIN in request.POST
        return show_again(view, request, *args, **kwargs) if again else view(request, *args, **kwargs)

    return wrapper


def show_again(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Returns the answer of `view` to a POST as if it were a GET: nothing is done, and its forms hold what was typed.

    Meanwhile `request.POST` is empty, so that no view can act upon it; typed() returns what was in it.
    """
    posted = request.POST
    request.typed = posted  # type: ignore[attr-defined]
    request.method, request.POST = "GET", QueryDict()
    try:
        return view(request, *args, **kwargs)
    finally:
        request.method, request.POST = "POST", posted


def typed(request: HttpRequest) -> QueryDict:
    """Returns the fields of the POST that show_again() has made a GET of; none for any other request."""
    return cast("QueryDict", getattr(request, "typed", QueryDict()))


def sent_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Returns the posted fields, each with one of its texts, for a page that has its user send them once more.

    The CSRF token is not among them: that page has one of its own.
    """
    fields = [(name, text) for name, texts in request.POST.lists() for text in texts]
    return [(name, text) for name, text in fields if name != "csrfmiddlewaretoken"]


def bind_form[F: Form](form: type[F], request: HttpRequest, **given: Any) -> F:
    """Returns an instance of `form`: with the posted data if the method is POST, otherwise unbound.

    An unbound one has what was typed() as its first values, before those that are `given` as `initial`. A RequestForm
    also gets the request; `given` are further arguments of the form. The data is not checked yet.
    """
    asker = {"request": request} if issubclass(form, RequestForm) else {}
    bound = form(data=request.POST if request.method == "POST" else None, **asker, **given)
    bound.initial = {**bound.initial, **typed_values(bound.fields, typed(request))}
    if getattr(request, "is_out_of_date", False):  # the message about that has the focus
        for field in bound.fields.values():
            field.widget.attrs.pop("autofocus", None)
    return bound


def typed_values(fields: dict[str, forms.Field], sent: QueryDict) -> dict[str, Any]:
    """Returns the first values of a form's `fields` that were `sent` before; never those of passwords."""
    if not sent:
        return {}
    open_fields = {name: field for name, field in fields.items() if not isinstance(field.widget, forms.PasswordInput)}
    values = {name: field.widget.value_from_datadict(sent, {}, name) for name, field in open_fields.items()}
    values = {name: value for name, value in values.items() if value is not None}
    return {name: fields[name].clean(v) if isinstance(fields[name], NextField) else v for name, v in values.items()}


def mark_secret[R: HttpResponseBase](response: R) -> R:
    """Marks an answer that holds a lasting secret, so that it is not compressed, and returns it."""
    setattr(response, MARK, True)
    return response


def holds_secret(response: HttpResponseBase) -> bool:
    """Returns whether mark_secret() has marked this answer."""
    return getattr(response, MARK, False)


def is_of_desk(request: HttpRequest) -> bool:
    """Returns whether a request is for a page of the desk, whether there is such a page or not."""
    return request.path_info.startswith(DESK)
