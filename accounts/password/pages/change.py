"""Changing the password, or setting the first one."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.models import User
from accounts.password.forms import PasswordForm
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.page import page


@sensitive_post_parameters("password", "chosen")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def change(request: HttpRequest) -> HttpResponse:
    """Ends every other session; this one goes on under a new id."""
    user, show = cast("User", request.user), "show" in request.GET
    form = PasswordForm(request, request.POST if request.method == "POST" else None, show_password=show)
    if not form.is_valid():
        return render(request, "accounts/password/change.html", {"form": form, "show": show})
    user.change_password(form.cleaned_data["chosen"], **visitor.trace(request))
    sessions.keep(request, user)
    messages.success(request, _("Password changed. You’re signed out on all other devices."))
    return redirect("account")


def well_known(request: HttpRequest) -> HttpResponse:
    """Where password managers look for the page that changes it (W3C: A Well-Known URL for Changing Passwords)."""
    return redirect("account_change_password")
