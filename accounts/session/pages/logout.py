"""Signing out: on all devices, or only on this one."""

from django.contrib import messages
from django.contrib.auth import logout as forget
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import limits
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.page import page


def to_login(request: HttpRequest, *, ended: bool) -> HttpResponse:
    """Redirects to the sign-in page without a message, whatever `ended` says about the visitor's session.

    A visitor who is signed out has what they wanted.
    """
    return redirect("account_login")


@account_page(asks=False, refuse=to_login)
def logout(request: PersonRequest) -> HttpResponse:
    """Asks where to sign out. Its POST ends every session of the account and leads to the sign-in page.

    A visitor who is signed out already is led there, too. Raises Limited (the 429 page) after too many POSTs.
    """
    if request.method != "POST":
        return render(request, "accounts/session/logout.html")
    request.person.sign_out(**request.trace)
    forget(request)
    messages.success(request, _("You’re signed out on all your devices."))
    return redirect("account_login")


@page(limits.POST_PER_NETWORK)
def logout_here(request: HttpRequest) -> HttpResponse:
    """Ends, on POST, this session and no other. Leads to the posted `next`, or else to the sign-in page.

    With `sign_in`, for somebody else who is to go there, it leads to the sign-in page, which leads on to `next`. A GET,
    as by a reload, leads to the page that asks where to sign out. Raises Limited (the 429 page) after too many POSTs.
    """
    if request.method != "POST":
        return redirect("account_logout")
    sessions.end(request)
    messages.success(request, _("You’re signed out on this device."))
    next_url = safe_path(request.POST.get("next", ""))
    if "sign_in" in request.POST:
        return sessions.back_to_login(next_url)
    return redirect(next_url or "account_login")
