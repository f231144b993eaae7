"""Asking for mail: a way in, a new password, or proof that an account is one's own."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.session import sessions
from invites import limits, mails
from invites.ask_for_link.ask import ask, ask_or_wait, asked_for, limited, log, remember, sent_page
from invites.ask_for_link.form import EmailForm
from invites.link import opened
from kit import rate_limit, visitor
from kit.form import same_site
from kit.page import page
from outbox.mail import lateness


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
def entry(request: HttpRequest) -> HttpResponse:
    """Takes an address and mails it a link, whoever's it is."""
    next_url = same_site(request.GET.get("next", ""))
    if request.user.is_authenticated:
        return render(request, "invites/ask_for_link/signed_in.html", {"next": next_url})
    return take_address(request, "invites/ask_for_link/entry.html", mails.LINK, next_url)


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
def reset(request: HttpRequest) -> HttpResponse:
    """The same for a new password."""
    return take_address(request, "invites/ask_for_link/reset.html", mails.RESET)


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


@never_cache
@page
@rate_limit.per_network(limits.ASK_PER_NETWORK)
def sent(request: HttpRequest) -> HttpResponse:
    """Says where the link went; its POST sends it again, to the same address or to that of a link that ran out."""
    if request.method != "POST":
        return sent_page(request, *asked_for(request))
    email, wish = opened.expired_address(request) if "token" in request.POST else asked_for(request)
    if not email:
        return redirect("entry")
    try:
        ask(request, email, wish)
    except rate_limit.Limited as limit:
        return limited(request, email, wish, limit)
    return remember(sent_page(request, email, wish, resent=True), email, wish)
