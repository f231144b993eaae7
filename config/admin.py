"""The admin site: Django's own, with this site's pages for signing in and out."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from config.context import other_languages
from config.desk_tabs import tabs

# What is asked before a page answers staff: it is given the request and the page's ModelAdmin (None for a page of no
# model), and returns an answer to give instead, or None.
Guard = Callable[[HttpRequest, Any], HttpResponse | None]
# It is given the request, the ModelAdmin, the rows, and "added", "changed" or "deleted".
Listener = Callable[[HttpRequest, Any, Any, str], None]
# It is given the request, and returns what the template of the desk's home shows.
Home = Callable[[HttpRequest], dict[str, Any]]
# A page of no model: its path below the desk's home, its view, and its name, which is to be reversed as "admin:NAME".
Page = tuple[str, Callable[..., HttpResponse], str]


class Site(admin.AdminSite):
    """The desk: Django's admin site, with this site's pages for signing in and out.

    With REQUIRE_STAFF_2FA it also demands a second factor. A room adds to `guards` what must be asked before a page of
    the desk answers staff, to `listeners` what wants to hear what staff have added, changed or deleted, to `home` what
    the desk's home shows, and to `pages` pages that belong to no model.
    """

    guards: ClassVar[list[Guard]] = []
    listeners: ClassVar[list[Listener]] = []
    home: ClassVar[list[Home]] = []
    pages: ClassVar[list[Page]] = []

    site_header = site_title = settings.SITE_NAME
    index_title = _("The desk")
    enable_nav_sidebar = False  # without a script the sidebar does nothing

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Returns an admin page's view behind second_factor_first() and `guards`."""
        inner = super().admin_view(view, cacheable)
        model_admin = owner(view)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                return inner(request, *args, **kwargs)
            refused = self.second_factor_first(request)
            for guard in self.guards:
                refused = refused or guard(request, model_admin)
            return refused or inner(request, *args, **kwargs)

        return guarded

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the variables that every page of the desk has: Django's own, its tabs, and its other languages."""
        others = [one for one in other_languages() if one["code"] in settings.DESK_LANGUAGES]
        found = tabs(request) if self.has_permission(request) else []
        return super().each_context(request) | {"desk_tabs": found, "other_languages": others}

    def get_urls(self) -> list[Any]:
        """Returns the URLs of `pages`, each behind what guards the desk, and those of Django's admin."""
        ours = [path(route, self.admin_view(view), name=name) for route, view, name in self.pages]
        return [*ours, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Shows the desk's home, which is what `home` returns."""
        context = self.each_context(request)
        for show in self.home:
            context |= show(request)
        return TemplateResponse(request, "admin/index.html", context)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirects to the desk's home, which shows the pages of all apps; an app has no page of its own."""
        return redirect("admin:index")

    def second_factor_first(self, request: HttpRequest) -> HttpResponse | None:
        """Returns a redirect to the page that sets up a second factor, for staff who lack a required one; else None.

        REQUIRE_STAFF_2FA requires it of all staff. The page leads back to the page that was asked for.
        """
        user: Any = request.user
        if not settings.REQUIRE_STAFF_2FA or user.second_factor.is_on:
            return None
        messages.warning(request, _("To use the admin pages you need two‑step verification. Set it up first."))
        return redirect(f"{reverse('second_factor_app')}?{urlencode({'next': request.get_full_path()})}")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirects a visitor who is not signed in to the site's sign-in page, and staff to the desk.

        From the sign-in page the visitor is led to `next`, or else to the desk. Raises PermissionDenied for a person
        who is signed in and may not enter the desk.
        """
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Raises Http404: no form of the desk completes what is typed, and this view asks for what no list offers."""
        raise Http404

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirects to the site's own page for signing out; signs nobody out itself."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirects to the account page, where a password is changed."""
        return redirect("account")


def owner(view: Any) -> Any:
    """Returns the ModelAdmin whose method `view` is, through any decorators; None for the view of no model."""
    while view and not isinstance(getattr(view, "__self__", None), admin.ModelAdmin):
        view = getattr(view, "__wrapped__", None)
    return view and view.__self__
