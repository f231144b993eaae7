"""Another address, proven by a mailed code, so that no unproven address is ever stored."""

from typing import cast

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.email_change import change
from accounts.email_change.change import Change
from accounts.email_change.forms import CodeForm, EmailForm, taken
from accounts.models import User
from accounts.session import sessions
from kit import rate_limit
from kit.page import page


@sensitive_post_parameters("password")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def ask(request: HttpRequest) -> HttpResponse:
    """Asks for the new address and the password, and mails a code there."""
    user = cast("User", request.user)
    if request.method == "POST":
        limits.CHANGE_PER_USER.check(request, user.pk.hex)
    form = EmailForm(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/email_change/ask.html", {"form": form})
    change.mail_code(request, user, form.cleaned_data["email"])
    return redirect("account_email_code")


@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def code(request: HttpRequest) -> HttpResponse:
    """Takes the code, or mails another one."""
    user, waiting = cast("User", request.user), change.waiting(request)
    if waiting is None:
        return redirect("account_email")
    if request.method == "POST":
        limits.CODE_PER_USER.check(request, user.pk.hex)
    if request.POST.get("action") == "resend":
        change.mail_code(request, user, waiting.to)
        messages.success(request, _("We sent another code. Only the newest one works."))
        return redirect("account_email_code")
    form = CodeForm(request, waiting, request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            return finish(request, user, waiting)
    except change.TooManyTries:
        messages.warning(request, _(change.TOO_MANY))
        return redirect("account_email")
    except IntegrityError:
        form.add_error("code", taken())
    return render(request, "accounts/email_change/code.html", {"form": form, "email": waiting.to})


def finish(request: HttpRequest, user: User, waiting: Change) -> HttpResponse:
    change.finish(request, user, waiting)
    messages.success(request, _("Your email address is now %(email)s.") % {"email": waiting.to})
    return redirect("account")
