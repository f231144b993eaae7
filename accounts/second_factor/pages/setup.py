"""Two-step verification: turning it on and off, and the browsers that need no code."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts import limits
from accounts.models import User
from accounts.second_factor import setup
from accounts.second_factor.forms import AppForm, WithCode
from accounts.second_factor.pages import recovery_codes
from accounts.session import devices, sessions
from kit import rate_limit, visitor
from kit.form import same_site
from kit.page import page


@never_cache
@require_safe
@sessions.required
def overview(request: HttpRequest) -> HttpResponse:
    factor = cast("User", request.user).second_factor
    context = {"app": factor.app, "left": len(factor.recovery_codes), "must_stay": factor.must_stay}
    return render(request, "accounts/second_factor/overview.html", context)


@sensitive_post_parameters("password", "code", "current")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def app(request: HttpRequest) -> HttpResponse:
    """Sets up an app, the first one or another; ends every other session, and this one goes on under a new id."""
    user = cast("User", request.user)
    next_url, anew = same_site(request.GET.get("next", "")), user.second_factor.is_on
    if request.method == "POST":
        limits.CHANGE_PER_USER.check(request, user.pk.hex)
    key = setup.secret(request, user).key
    form = AppForm(request, key, request.POST if request.method == "POST" else None, anew=anew)
    if not form.is_valid():
        context = {"form": form, "anew": anew, "next": next_url} | setup.ways(user, key)
        return render(request, "accounts/second_factor/app.html", context)
    setup.finish(request, user, key, form.cleaned_data["code"], anew=anew)
    messages.success(request, replaced() if anew else turned_on())
    return redirect(recovery_codes.address(next_url))


def turned_on() -> str:
    return _("Two-step verification is on. You’re signed out on all other devices.")


def replaced() -> str:
    return _(
        "The new app is set up. Your old app and old recovery codes don’t work any more, "
        "and you’re signed out on all other devices."
    )


@sensitive_post_parameters("password", "code")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def off(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    if user.second_factor.must_stay or not user.second_factor.is_on:
        return redirect("second_factor")
    form = WithCode(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/second_factor/off.html", {"form": form})
    user.second_factor.turn_off(**visitor.trace(request))
    messages.success(request, _("Two-step verification is off."))
    return redirect("second_factor")


@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def browsers(request: HttpRequest) -> HttpResponse:
    """Has every browser asked for a code again; a reload of its address leads back."""
    if request.method == "POST":
        user = cast("User", request.user)
        user.forget_devices()
        devices.recognize(request, user)
        messages.success(request, _("Every browser will be asked for a code at the next sign-in."))
    return redirect("second_factor")
