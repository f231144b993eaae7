"""Two-step verification: turning it on and off, and forgetting the browsers that need no code."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.second_factor import setup
from accounts.second_factor.forms import AppForm, WithCode
from accounts.second_factor.pages import recovery_codes
from accounts.session import devices
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.page import bind_form, mark_secret


@account_page(safe_only=True)
def overview(request: PersonRequest) -> HttpResponse:
    """Shows the app, how many recovery codes are left, and whether two-step verification must stay on."""
    factor = request.person.second_factor
    context = {"app": factor.app, "left": len(factor.recovery_codes), "must_stay": factor.must_stay}
    return render(request, "accounts/second_factor/overview.html", context)


@account_page(secret=("password", "code", "current"), changes=True)
def app(request: PersonRequest) -> HttpResponse:
    """Shows the secret for an authenticator app; a POST with a code of it sets up the app, the first one or another.

    The form also asks for proof of ownership and, if an app is replaced, for a code of the old one. The POST ends every
    other session and leads to the new recovery codes, with `next`; this session goes on under a new id. Raises Limited
    (the 429 page) after too many passwords, codes or changes.
    """
    user = request.person
    next_url, replaces = safe_path(request.GET.get("next", "")), user.second_factor.is_on
    key = setup.secret(request).key
    form = bind_form(AppForm, request, secret=key, replaces=replaces)
    if not form.is_valid():
        context = {"form": form, "replaces": replaces, "next": next_url} | setup.ways(user, key)
        return mark_secret(render(request, "accounts/second_factor/app.html", context))
    setup.finish(request, key, form.cleaned_data["code"], replaces=replaces)
    messages.success(request, replaced() if replaces else turned_on())
    return redirect(recovery_codes.address(next_url))


def turned_on() -> str:
    """Returns the message for a user who has set up the first app."""
    return _("Two‑step verification is on. You’re signed out on all other devices.")


def replaced() -> str:
    """Returns the message for a user who has replaced the app by another."""
    return _(
        "The new app is set up. Your old app and old recovery codes don’t work any more, "
        "and you’re signed out on all other devices."
    )


@account_page(secret=("password", "code"))
def off(request: PersonRequest) -> HttpResponse:
    """Asks for a code and proof of ownership. Its POST turns two-step verification off and leads to the overview.

    If two-step verification is off already, or must stay on, the page leads there at once. Raises Limited (the 429
    page) after too many passwords, codes or POSTs.
    """
    user = request.person
    if user.second_factor.must_stay or not user.second_factor.is_on:
        return redirect("second_factor")
    form = bind_form(WithCode, request)
    if not form.is_valid():
        return render(request, "accounts/second_factor/off.html", {"form": form})
    user.second_factor.turn_off(**request.trace)
    messages.success(request, _("Two‑step verification is off."))
    return redirect("second_factor")


@account_page()
def browsers(request: PersonRequest) -> HttpResponse:
    """Has, on POST, every browser asked for a code again. Leads to the overview, as does a GET by a reload.

    Every other device counts as new then. Raises Limited (the 429 page) after too many POSTs.
    """
    if request.method == "POST":
        user = request.person
        user.ways_in.forget_devices()
        devices.mark_known(request, user)
        messages.success(request, _("Every browser will be asked for a code at the next sign-in."))
    return redirect("second_factor")
