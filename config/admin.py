"""The admin site: Django's own, entered and left by our door."""

from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csp import csp_override

# Everything works with scripts off; the stock scripts that come with it may run, and nothing else.
ADMIN_CSP: dict[str, Any] = settings.SECURE_CSP | {"script-src": [CSP.SELF], "form-action": [CSP.SELF]}


class Site(admin.AdminSite):
    site_header = site_title = settings.SITE_NAME
    index_title = _("The desk")
    enable_nav_sidebar = False  # without a script it is a dead strip

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return self.second_factor_first(request) or inner(request, *args, **kwargs)

        return csp_override(ADMIN_CSP)(guarded)

    def second_factor_first(self, request: HttpRequest) -> HttpResponse | None:
        """Sends staff who must have a second factor, and have none, to where it is set up and back."""
        user: Any = request.user
        if not settings.REQUIRE_STAFF_2FA or not self.has_permission(request) or user.second_factor.is_on:
            return None
        messages.warning(request, _("To use the admin pages you need two-step verification. Set it up first."))
        return redirect(f"{reverse('second_factor_app')}?{urlencode({'next': request.get_full_path()})}")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends a stranger to our sign-in page; who is signed in and still stands here has no business inside."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account")
