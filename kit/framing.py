"""Pages that stand in a frame of another page of this site, and the policies (CSP) of both."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

Policy = dict[str, Any]
View = Callable[..., HttpResponseBase]

AROUND: Policy = settings.SECURE_CSP | {"frame-src": [CSP.SELF]}
INSIDE: Policy = {"frame-ancestors": [CSP.SELF], "form-action": [CSP.NONE]}


def with_frame(view: View) -> View:
    """Decorates the view of a page that has another page of this site in a frame."""
    return csp_override(AROUND)(view)


def in_frame(policy: Policy = settings.SECURE_CSP) -> Callable[[View], View]:
    """Returns a decorator for a page that only GET shows, and only a frame on a page of this site, with this policy.

    No form on it can be sent.
    """

    def decorator(view: View) -> View:
        return require_safe(xframe_options_sameorigin(csp_override(policy | INSIDE)(view)))

    return decorator
