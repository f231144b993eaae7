"""What all pages wear."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kit import rate_limit
from kit.form import Form, RequestForm

View = Callable[..., HttpResponseBase]


def page(
    limit: rate_limit.Limit | None = None, *, secret: tuple[str, ...] = (), safe_only: bool = False
) -> Callable[[View], View]:
    """Makes a view of GET, HEAD and POST, or with `safe_only` without POST, whose answer is never cached.

    `limit` counts what is posted, by the visitor's network. The posted fields in `secret` stand in no error report.
    """
    methods = ["GET", "HEAD"] if safe_only else ["GET", "HEAD", "POST"]

    def decorator(view: View) -> View:
        limited = rate_limit.per_network(limit)(view) if limit else view
        inner = never_cache(require_http_methods(methods)(limited))
        return sensitive_post_parameters(*secret)(inner) if secret else inner

    return decorator


def bound[F: Form](form: type[F], request: HttpRequest, **given: object) -> F:
    """A form of this class with what a POST sent, or empty for a look; `given` are its other parameters."""
    asker = {"request": request} if issubclass(form, RequestForm) else {}
    return form(data=request.POST if request.method == "POST" else None, **asker, **given)
