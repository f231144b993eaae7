"""Connecting a Google account, and disconnecting it."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import limits
from accounts.google import client as google
from accounts.models import LastWayIn
from accounts.password.forms import WithProof
from accounts.session import arrival
from accounts.session.account_page import PersonRequest, account_page
from accounts.session.notes import STILL_YOU
from kit.form import safe_path
from kit.page import bind_form


@account_page(secret=("password", "code"), changes=True)
def connect(request: PersonRequest) -> HttpResponse:
    """Asks for proof of ownership; the POST leads to Google, whose answer goes to invites.google.pages.

    A user who has connected Google already is led to the page that disconnects it. Raises Http404 if this site does not
    offer Google, and Limited (the 429 page) after too many passwords or changes.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    if request.person.google.account:
        return redirect("account_google_disconnect")
    form = bind_form(WithProof, request)
    if not form.is_valid():
        return render(request, "accounts/google/connect.html", {"form": form})
    return google.connect(request)


@account_page(limits.GOOGLE_PER_NETWORK, asks=False)
def again(request: PersonRequest) -> HttpResponse:
    """Leads, on POST, to Google, by which somebody without a password shows that it is still them.

    The answer goes to invites.google.pages, which leads on to the posted `next`. A GET, and whoever has a password or
    no Google account, is led to the page that asks for it in other ways: Google knows no prompt=login, so a browser
    that is signed in there answers by itself. Raises Http404 if this site does not offer Google, and Limited (the 429
    page) after too many POSTs.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    user = request.person
    if request.method != "POST" or user.google.account is None or user.has_usable_password():
        return redirect("account_login_again")
    next_url = safe_path(request.POST.get("next", ""))
    STILL_YOU.keep(request, next=next_url, shown_at=arrival.read(request).shown_at, google=True)
    return google.ask_again(request, next_url)


@account_page(secret=("password", "code"))
def disconnect(request: PersonRequest) -> HttpResponse:
    """Asks for proof of ownership; the POST disconnects the Google account and leads to the account page.

    A user without a password is shown that this is not possible: only mailed links would be left. One who has not
    connected Google is led to the page that does, if this site offers Google, else to the account page. Raises Limited
    (the 429 page) after too many passwords or POSTs.
    """
    user = request.person
    connected = user.google.account
    if connected is None:
        return redirect("account_google" if settings.GOOGLE_CLIENT_ID else "account")
    email = connected.extra_data.get("email", "")
    if not user.has_usable_password():
        return render(request, "accounts/google/last_way_in.html", {"email": email})
    form = bind_form(WithProof, request)
    if not form.is_valid():
        return render(request, "accounts/google/disconnect.html", {"form": form, "email": email})
    try:
        user.google.disconnect(**request.trace)
    except LastWayIn:  # the password was removed just now
        return redirect("account_google_disconnect")
    messages.success(request, _("Google is disconnected."))
    return redirect("account")
