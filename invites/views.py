"""The way in: an address, one mail, one button."""

import logging

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import clients, limits, sessions
from accounts.adapters import inactive
from accounts.forms import same_site
from accounts.models import User
from invites import links, tokens, webmail
from invites.forms import EmailForm, SignupForm, free_name, taken
from invites.models import LINK_LIFETIME, Invite

log = logging.getLogger("frontdoor.invites")

ASKED = "asked"  # the signed cookie that remembers, in this browser, where the link went

page = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@page
@limits.per_network(limits.ASK_PER_NETWORK)
def entry(request: HttpRequest) -> HttpResponse:
    """Takes an address and mails it a link, whoever's it is."""
    next_url = same_site(request.GET.get("next", ""))
    if request.user.is_authenticated:
        return render(request, "invites/signed_in.html", {"next": next_url})
    if request.method != "POST":
        return entry_page(request, EmailForm(initial={"next": next_url}))
    form = EmailForm(request.POST)
    if not form.is_valid():
        return entry_page(request, form)
    if suggestion := form.doubt():
        return entry_page(request, form, suggestion)
    if form.cleaned_data["leave_empty"]:
        log.warning("a program asked for a link ip=%s", clients.ip(request))
    else:
        ask(request, form.cleaned_data["email"], form.cleaned_data["next"])
    return remember(redirect("invite_sent"), form.cleaned_data["email"])


def entry_page(request: HttpRequest, form: EmailForm, suggestion: str = "") -> HttpResponse:
    if suggestion:
        form.data = {**form.data.dict(), "sure": form.cleaned_data["email"]}  # type: ignore[attr-defined]
    context = {"form": form, "suggestion": suggestion, "closed": settings.SIGNUP == "invited"}
    return render(request, "invites/entry.html", context)


def ask(request: HttpRequest, email: str, next_url: str = "") -> None:
    """Sends the one mail that every address gets. Raises Limited."""
    limits.ASK_PER_ADDRESS_AT_ONCE.check(request, email)
    limits.ASK_PER_ADDRESS.check(request, email)
    Invite.objects.issue(email, next=next_url, language=get_language() or "", device=clients.device(request))


def remember(response: HttpResponse, email: str) -> HttpResponse:
    """Lets this browser, and no URL, know the address, for as long as the link lives."""
    lifetime = int(LINK_LIFETIME.total_seconds())
    response.set_signed_cookie(
        ASKED, email, max_age=lifetime, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


@never_cache
@page
@limits.per_network(limits.ASK_PER_NETWORK)
def sent(request: HttpRequest) -> HttpResponse:
    """Says where the link went; its POST sends it again, to the same address or to that of a link that ran out."""
    if request.method != "POST":
        return sent_page(request, asked_for(request))
    email = links.expired_address(request) if "token" in request.POST else asked_for(request)
    if not email:
        return redirect("entry")
    try:
        ask(request, email)
    except limits.Limited as limit:
        response = sent_page(request, email, limit=limit, status=429)
        response["Retry-After"] = str(limit.seconds)
        return remember(response, email)
    return remember(sent_page(request, email, resent=True), email)


def asked_for(request: HttpRequest) -> str:
    lifetime = int(LINK_LIFETIME.total_seconds())
    return str(request.get_signed_cookie(ASKED, default="", max_age=lifetime))


def sent_page(request: HttpRequest, email: str, status: int = 200, **context: object) -> HttpResponse:
    context |= {"email": email, "provider": webmail.provider(email)}
    return render(request, "invites/sent.html", context, status=status)


@sensitive_post_parameters("password")
@links.opened_by_link(tokens.SIGNUP)
def signup(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Name and password for somebody whose address the link has proven."""
    if request.method != "POST" and User.objects.filter(email=invite.email).exists():
        return redirect(tokens.path(tokens.CONFIRM, invite.pk))
    if not Invite.objects.may_join(invite.email):
        return links.closed(request)
    return newcomer(request, invite, tokens.SIGNUP)


@sensitive_post_parameters("password")
@links.opened_by_link(tokens.OWNER)
def owner(request: HttpRequest, invite: Invite) -> HttpResponse:
    """The same for the first superuser, from the link that only an operator's terminal shows."""
    if User.objects.filter(Q(is_superuser=True) | Q(email=invite.email)).exists():
        return render(request, links.OWNER_PAGE, status=links.GONE)
    return newcomer(request, invite, tokens.OWNER)


def newcomer(request: HttpRequest, invite: Invite, purpose: str) -> HttpResponse:
    """The sign-up form, and the account it makes."""
    show = "show" in request.GET
    if request.method != "POST":
        start = SignupForm(email=invite.email, show_password=show, initial={"username": free_name(invite.email)})
        return signup_page(request, invite, purpose, start)
    form = SignupForm(request.POST, email=invite.email, show_password=show)
    if not form.is_valid():
        return signup_page(request, invite, purpose, form)
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    chosen = {"language": get_language()}
    try:
        user = invite.accept(name, password, browser=links.browser(request), settings=chosen)
    except IntegrityError:  # the name was free when the form was checked; or the address has an account by now
        if not User.objects.filter(username=name).exists():
            return redirect(request.get_full_path())
        form.add_error("username", taken(name))
        return signup_page(request, invite, purpose, form)
    messages.success(request, _("Your account is ready."))
    return sessions.start(request, user, invite.next)


def signup_page(request: HttpRequest, invite: Invite, purpose: str, form: SignupForm) -> HttpResponse:
    here = tokens.path(purpose, invite.pk)
    context = {
        "invite": invite,
        "form": form,
        "token": tokens.sign(purpose, invite.pk),
        "show": "show" in request.GET,
        "show_url": f"{here}&show=1",
        "hide_url": here,
        "other_user": request.user.get_username(),
    }
    return render(request, "invites/owner.html" if purpose == tokens.OWNER else "invites/signup.html", context)


@links.opened_by_link(tokens.CONFIRM)
def confirm(request: HttpRequest, invite: Invite) -> HttpResponse:
    """One button that signs in whoever has the account and its mail."""
    account = User.objects.filter(email=invite.email).first()
    if account is None:
        return redirect(tokens.path(tokens.SIGNUP, invite.pk))
    if not account.is_active:
        return inactive(request)
    if not invite.signs_in(account):
        return links.expired(request, invite, tokens.CONFIRM)
    if request.method == "POST":
        invite.claim(links.browser(request), by=account)
        return sessions.start(request, account, invite.next)
    if request.user == account:
        return redirect(invite.next or "account")
    context = {
        "invite": invite,
        "account": account,
        "token": tokens.sign(tokens.CONFIRM, invite.pk),
        "other_user": request.user.get_username(),
    }
    return render(request, "invites/confirm.html", context)
