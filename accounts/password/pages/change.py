"""Changing the password, or setting the first one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.password.forms import PasswordForm
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bind_form


@account_page(secret=("password", "code", "chosen"))
def change(request: PersonRequest) -> HttpResponse:
    """Shows the form for a new password; its POST sets the password and leads to the account page.

    The POST ends every other session, and this one goes on under a new id; the owner is mailed. With `?show` the
    password is displayed as typed. Raises Limited (the 429 page) after too many passwords or POSTs.
    """
    user, show = request.person, "show" in request.GET
    form = bind_form(PasswordForm, request, show_password=show)
    if not form.is_valid():
        return render(request, "accounts/password/change.html", {"form": form, "show": show})
    user.ways_in.change_password(encoded=form.encoded, **request.trace)
    sessions.restart(request, user)
    messages.success(request, _("Password changed. You’re signed out on all other devices."))
    return redirect("account")


def well_known(request: HttpRequest) -> HttpResponse:
    """Redirects to the page that changes the password.

    Password managers look for it at this address (W3C: A Well-Known URL for Changing Passwords).
    """
    return redirect("account_change_password")
