"""Asking for mail: a way in, a new password, or proof that an account is one's own."""

import logging
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.session import sessions
from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits, links, mails, seals, webmail
from invites.asking import ask
from invites.forms import EmailForm
from invites.models import LINK_LIFETIME
from kit import cookies, rate_limit, visitor
from kit.form import same_site
from kit.page import page
from outbox.mail import lateness

log = logging.getLogger("frontdoor.invites")

PAGES = {mails.REGISTER: "account_signup", mails.RESET: "account_reset_password"}  # where each wish is made, else /

ASKED = "asked"  # the cookie that remembers, in this browser, what was asked for and where the mail went


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
def entry(request: HttpRequest) -> HttpResponse:
    """Takes an address and mails it a link, whoever's it is."""
    next_url = same_site(request.GET.get("next", ""))
    if request.user.is_authenticated:
        return render(request, "invites/signed_in.html", {"next": next_url})
    return take_address(request, "invites/entry.html", mails.LINK, next_url)


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
def reset(request: HttpRequest) -> HttpResponse:
    """The same for a new password."""
    return take_address(request, "invites/reset.html", mails.RESET)


def take_address(request: HttpRequest, template: str, wish: str, next_url: str = "") -> HttpResponse:
    if request.method != "POST":
        return entry_page(request, template, EmailForm(initial={"next": next_url}))
    form = EmailForm(request.POST)
    if not form.is_valid():
        return entry_page(request, template, form)
    email = form.cleaned_data["email"]
    if suggestion := form.doubt():
        form.data = {**form.data.dict(), "sure": email}  # type: ignore[attr-defined]
        return entry_page(request, template, form, suggestion)
    if form.cleaned_data["leave_empty"]:
        log.warning("a program asked for a link ip=%s", visitor.ip(request))
        return remember(redirect("invite_sent"), email, wish)
    return ask_or_wait(request, email, wish, next=form.cleaned_data["next"])


def ask_or_wait(request: HttpRequest, email: str, wish: str, **given: Any) -> HttpResponse:
    """To the page that says where the mail went; if one went there just now, it says so too."""
    try:
        ask(request, email, wish, **given)
    except rate_limit.Limited as limit:
        return limited(request, email, wish, limit)
    return remember(redirect("invite_sent"), email, wish)


def limited(request: HttpRequest, email: str, wish: str, limit: rate_limit.Limited) -> HttpResponse:
    response = sent_page(request, email, wish, limit=limit, status=429)
    response["Retry-After"] = str(limit.seconds)
    return remember(response, email, wish)


def entry_page(request: HttpRequest, template: str, form: EmailForm, suggestion: str = "") -> HttpResponse:
    context = {"form": form, "suggestion": suggestion, "closed": settings.SIGNUP == "invited"}
    return render(request, template, context | {"minutes_late": lateness.minutes()})


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
@sessions.required
def prove(request: HttpRequest) -> HttpResponse:
    """A link instead of the password, for somebody signed in who is asked for it; it leads back to that page."""
    if request.method != "POST":
        return redirect("account")
    email = cast("User", request.user).email
    return ask_or_wait(request, email, mails.LINK, next=same_site(request.POST.get("next", "")))


def remember(response: HttpResponse, email: str, wish: str = mails.LINK) -> HttpResponse:
    """Lets this browser, and no URL, know the address, for as long as the link lives."""
    return cookies.keep(response, ASKED, [email, wish], LINK_LIFETIME)


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
def sent(request: HttpRequest) -> HttpResponse:
    """Says where the link went; its POST sends it again, to the same address or to that of a link that ran out."""
    if request.method != "POST":
        return sent_page(request, *asked_for(request))
    email, wish = links.expired_address(request) if "token" in request.POST else asked_for(request)
    if not email:
        return redirect("entry")
    try:
        ask(request, email, wish)
    except rate_limit.Limited as limit:
        return limited(request, email, wish, limit)
    return remember(sent_page(request, email, wish, resent=True), email, wish)


def asked_for(request: HttpRequest) -> tuple[str, str]:
    """The address and the wish that this browser remembers, or "" for both."""
    email, wish = cookies.read(request, ASKED, LINK_LIFETIME) or ("", "")
    return email, wish


def sent_page(request: HttpRequest, email: str, wish: str, status: int = 200, **context: object) -> HttpResponse:
    # A plan opens in its own browser only (one that asked for a fresh link may be another), and connects Google so.
    seen = GOOGLE_IDENTITY.read(request)
    connects = bool(seen) and seen["to_connect"] and seen["email"] == email
    here = connects or (wish == mails.REGISTER and bool(seals.of(request)))
    context |= {"here": here, "wish": wish}
    context |= {"minutes_late": lateness.minutes()}
    context |= {"email": email, "again": PAGES.get(wish, "entry"), "provider": webmail.provider(email)}
    return render(request, "invites/sent.html", context, status=status)
