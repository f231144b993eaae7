"""The second step of signing in: a code."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import limits
from accounts.models import Superseded, User
from accounts.models.second_factor import RECOVERY
from accounts.second_factor.forms import CodeForm
from accounts.session import devices, pending, sessions
from accounts.session.pending import Waiting
from kit.page import bound, page

FEW = 3  # recovery codes


@page(limits.FACTOR_PER_NETWORK, secret=("code",))
def authenticate(request: HttpRequest) -> HttpResponse:
    """Takes the code of whoever has shown the first factor (accounts.session.pending), and starts their session."""
    if request.user.is_authenticated:
        return redirect("account")
    waiting = pending.waiting(request)
    if waiting is None:
        messages.info(request, _("Sign in first. Then there are 15 minutes to enter the code."))
        return redirect("account_login")
    user = waiting.user
    if user is None:
        return over(request, waiting)
    form = bound(CodeForm, request, user=user)
    try:
        if form.is_valid():
            return sign_in(request, user, waiting, form)
    except Superseded:  # in this very moment
        return over(request, waiting)
    return render(request, "accounts/second_factor/login.html", {"form": form})


def sign_in(request: HttpRequest, user: User, waiting: Waiting, form: CodeForm) -> HttpResponse:
    sessions.enter(request, user, waiting.way)
    if form.kind == RECOVERY:
        count_down(request, user)
    response = redirect(waiting.next_url or "account")
    return devices.trust(request, response, user) if form.cleaned_data["trust"] else response


def over(request: HttpRequest, waiting: Waiting) -> HttpResponse:
    pending.give_up(request)
    messages.info(request, _(sessions.ENDED))
    return sessions.back_to_login(waiting.next_url)


def count_down(request: HttpRequest, user: User) -> None:
    left = len(user.second_factor.recovery_codes)
    if left <= FEW:
        said = ngettext("%(count)s recovery code is left.", "%(count)s recovery codes are left.", left)
        link = format_html('<a href="{}">{}</a>', reverse("second_factor_codes"), _("Make new ones"))
        messages.warning(request, format_html("{} {}", said % {"count": left}, link))


@page(limits.POST_PER_NETWORK)
def abandon(request: HttpRequest) -> HttpResponse:
    """Back to the first step, perhaps as somebody else; a reload of its address leads on."""
    waiting = pending.waiting(request)
    if request.method != "POST" or waiting is None:
        return redirect("mfa_authenticate")
    pending.give_up(request)
    return sessions.back_to_login(waiting.next_url)
