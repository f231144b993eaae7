"""Signing in, signing out, and your account."""

import logging
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout as forget
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.i18n import set_language

from accounts import clients, limits, sessions
from accounts.forms import LoginForm, same_site
from accounts.models import User

log = logging.getLogger("frontdoor.accounts")

SHOWN = 100  # sessions on the account page

page = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters("password")
@never_cache
@page
@limits.per_network(limits.LOGIN_PER_NETWORK)
def login(request: HttpRequest) -> HttpResponse:
    """Signs in with a name or address and a password."""
    if request.user.is_authenticated:
        return redirect(same_site(request.GET.get("next", "")) or "account")
    if request.method != "POST":
        start = LoginForm(request, initial={"next": same_site(request.GET.get("next", ""))})
        return login_page(request, start)
    if name := request.POST.get("login", "").strip().lower():
        limits.LOGIN_PER_NAME.check(request, name)
    form = LoginForm(request, request.POST)
    if form.is_valid() and form.user:
        return sessions.start(request, form.user, form.cleaned_data["next"])
    log.info("sign-in refused ip=%s", clients.ip(request))
    return login_page(request, form)


def login_page(request: HttpRequest, form: LoginForm) -> HttpResponse:
    return render(request, "accounts/login.html", {"form": form, "closed": settings.SIGNUP == "invited"})


@never_cache
@page
@limits.per_network(limits.POST_PER_NETWORK)
def logout(request: HttpRequest) -> HttpResponse:
    """Asks where to sign out; its POST ends every session of the account."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    if request.method != "POST":
        return render(request, "accounts/logout.html")
    request.user.end_sessions()
    forget(request)
    messages.success(request, _("You’re signed out on all your devices."))
    return redirect("account_login")


@never_cache
@page
@limits.per_network(limits.POST_PER_NETWORK)
def logout_here(request: HttpRequest) -> HttpResponse:
    """Ends this session and no other; a reload of its address asks first."""
    if request.method != "POST":
        return redirect("account_logout")
    sessions.end(request)
    messages.success(request, _("You’re signed out on this device."))
    return redirect("account_login")


@never_cache
@require_safe
@sessions.required
def account(request: HttpRequest) -> HttpResponse:
    """Who you are, and where you are signed in: this device first, then the newest."""
    user, this = cast("User", request.user), request.session.session_key
    rows = list(user.sessions.filter(expire_date__gt=timezone.now()).order_by("-created_at")[:SHOWN])
    rows.sort(key=lambda row: row.session_key != this)
    return render(request, "accounts/account.html", {"sessions": rows, "this": this})


@page
@limits.per_network(limits.POST_PER_NETWORK)
def language(request: HttpRequest) -> HttpResponse:
    """Remembers a language: in a cookie, and for good if somebody is signed in."""
    if request.method != "POST":
        return redirect("entry")
    code = request.POST.get("language", "")
    if request.user.is_authenticated and code in dict(settings.LANGUAGES):
        request.user.choose(language=code)
        request.session["language"] = code
    return set_language(request)
