"""Signing in with a password."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.password.login_form import LoginForm
from accounts.session import sessions
from accounts.session.notes import GOOGLE_IDENTITY
from kit import rate_limit
from kit.form import same_site
from kit.page import page


@sensitive_post_parameters("password")
@never_cache
@page
@rate_limit.per_network(limits.LOGIN_PER_NETWORK)
def login(request: HttpRequest) -> HttpResponse:
    """Signs in with a name or address and a password."""
    if request.user.is_authenticated:
        return redirect(same_site(request.GET.get("next", "")) or "account")
    if request.method != "POST":
        seen = GOOGLE_IDENTITY.read(request)  # who signs in to connect it need not type the address
        typed = {
            "next": same_site(request.GET.get("next", "")),
            "login": seen["email"] if seen.get("to_connect") else "",
        }
        start = LoginForm(request, initial=typed)
        return login_page(request, start)
    form = LoginForm(request, request.POST)
    if form.is_valid() and form.user:
        return sessions.start(request, form.user, form.cleaned_data["next"], sessions.PASSWORD)
    return login_page(request, form)


def login_page(request: HttpRequest, form: LoginForm) -> HttpResponse:
    return render(request, "accounts/password/login.html", {"form": form, "closed": settings.SIGNUP == "invited"})
