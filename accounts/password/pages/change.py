"""Changing the password, or setting the first one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.password.forms import PasswordForm
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bound


@account_page(secret=("password", "chosen"))
def change(request: PersonRequest) -> HttpResponse:
    """Ends every other session; this one goes on under a new id."""
    user, show = request.person, "show" in request.GET
    form = bound(PasswordForm, request, show_password=show)
    if not form.is_valid():
        return render(request, "accounts/password/change.html", {"form": form, "show": show})
    user.change_password(form.cleaned_data["chosen"], **request.trace)
    sessions.keep(request, user)
    messages.success(request, _("Password changed. You’re signed out on all other devices."))
    return redirect("account")


def well_known(request: HttpRequest) -> HttpResponse:
    """Where password managers look for the page that changes it (W3C: A Well-Known URL for Changing Passwords)."""
    return redirect("account_change_password")
