"""The second step of signing in: a code."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import limits
from accounts.codes import second_press
from accounts.models import Superseded, User
from accounts.models.second_factor import RECOVERY
from accounts.password import breaches
from accounts.second_factor.forms import CodeForm
from accounts.session import devices, pending, sessions
from accounts.session.pending import Waiting
from kit.page import bind_form, page

FEW = 3  # recovery codes


@page(limits.FACTOR_PER_NETWORK, secret=("code",))
def authenticate(request: HttpRequest) -> HttpResponse:
    """Asks for the code of a visitor who has passed the first factor (accounts.session.pending).

    A POST with the right code starts the session and leads where the visitor was going, or where landing() says, as it
    does for a user who is signed in already. If no sign-in waits for a code, or it cannot be finished any more, the
    page leads to sign-in. Raises Limited (the 429 page) after too many tries.
    """
    if request.user.is_authenticated:
        return redirect(sessions.landing(request.user))
    waiting = pending.find(request) or second_press.find(request)
    if waiting is None:
        messages.info(request, _("Sign in first. Then there are 15 minutes to enter the code."))
        return redirect("account_login")
    user = waiting.user
    if user is None:
        return over(request, waiting)
    form = bind_form(CodeForm, request, user=user)
    try:
        if form.is_valid():
            return sign_in(request, user, waiting, form)
    except Superseded:  # all sessions of the account have ended just now
        return over(request, waiting)
    return render(request, "accounts/second_factor/login.html", {"form": form})


def sign_in(request: HttpRequest, user: User, waiting: Waiting, form: CodeForm) -> HttpResponse:
    """Starts the session of `user`, who has entered the right code, and redirects where `waiting` says they were going.

    If that is "", sessions.landing() says where; whoever is leaving is asked first whether the account stays. If `form`
    has `trust`, the answer also carries the cookie of a trusted browser. A message warns when few recovery codes are
    left. Raises Superseded if all sessions of the account have ended meanwhile.
    """
    second_press.remember(request, waiting)
    response = sessions.go_on(request, user, waiting.way, waiting.next_url, factor=form.factor)
    breaches.warn(request)
    if form.kind == RECOVERY:
        count_down(request, user)
    return devices.trust(request, response, user) if form.cleaned_data["trust"] else response


def over(request: HttpRequest, waiting: Waiting) -> HttpResponse:
    """Forgets a sign-in that cannot be finished any more, and leads back to the sign-in page with a message."""
    pending.give_up(request)
    messages.info(request, _(sessions.ENDED))
    return sessions.back_to_login(waiting.next_url)


def count_down(request: HttpRequest, user: User) -> None:
    """Adds a message that says how many recovery codes are left, if there are no more than FEW."""
    left = len(user.second_factor.recovery_codes)
    if left <= FEW:
        said = ngettext("%(count)s recovery code is left.", "%(count)s recovery codes are left.", left)
        link = format_html('<a href="{}">{}</a>', reverse("second_factor_codes"), _("Make new ones"))
        messages.warning(request, format_html("{} {}", said % {"count": left}, link))


@page(limits.POST_PER_NETWORK)
def abandon(request: HttpRequest) -> HttpResponse:
    """Forgets, on POST, the sign-in that waits, so that the visitor can begin again, perhaps as somebody else.

    Leads to the sign-in page. A GET, as by a reload, leads to the page that asks for the code, and so does a POST if no
    sign-in waits. Raises Limited (the 429 page) after too many POSTs.
    """
    waiting = pending.find(request)
    if request.method != "POST" or waiting is None:
        return redirect("mfa_authenticate")
    pending.give_up(request)
    return sessions.back_to_login(waiting.next_url)
