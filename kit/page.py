"""The shared parts of all pages: allowed methods, limits, no caching, and forms bound to the request."""

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
    """Returns a decorator for a page's view: it answers GET, HEAD and POST (405 for others) and is never cached.

    `safe_only` forbids POST. `limit` counts unsafe requests by the visitor's network; beyond it the decorated view
    raises Limited. The posted fields in `secret` are left out of error reports.
    """
    methods = ["GET", "HEAD"] if safe_only else ["GET", "HEAD", "POST"]

    def decorator(view: View) -> View:
        limited = rate_limit.per_network(limit)(view) if limit else view
        inner = never_cache(require_http_methods(methods)(limited))
        return sensitive_post_parameters(*secret)(inner) if secret else inner

    return decorator


def bind_form[F: Form](form: type[F], request: HttpRequest, **given: object) -> F:
    """Returns an instance of `form`: with the posted data if the method is POST, otherwise unbound.

    A RequestForm also gets the request; `given` are further arguments of the form. The data is not checked yet.
    """
    asker = {"request": request} if issubclass(form, RequestForm) else {}
    return form(data=request.POST if request.method == "POST" else None, **asker, **given)
