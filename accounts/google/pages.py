"""Connecting a Google account, and taking it away again."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.google import client as google
from accounts.models import LastWayIn, User
from accounts.password.forms import WithProof
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.page import page


@sensitive_post_parameters("password")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def connect(request: HttpRequest) -> HttpResponse:
    """To Google with the password; invites.google.pages takes the answer."""
    user = cast("User", request.user)
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    if user.google.account:
        return redirect("account_google_disconnect")
    form = WithProof(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/google/connect.html", {"form": form})
    return google.connect(request, user)


@sensitive_post_parameters("password")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def disconnect(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    connected = user.google.account
    if connected is None:
        return redirect("account_google" if settings.GOOGLE_CLIENT_ID else "account")
    email = connected.extra_data.get("email", "")
    if not user.has_usable_password():
        return render(request, "accounts/google/last_way_in.html", {"email": email})
    form = WithProof(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/google/disconnect.html", {"form": form, "email": email})
    try:
        user.google.disconnect(**visitor.trace(request))
    except LastWayIn:  # the password went in this moment
        return redirect("account_google_disconnect")
    messages.success(request, _("Google is disconnected."))
    return redirect("account")
