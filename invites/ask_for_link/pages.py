"""Asking for mail: a way in, a new password, or proof that an account is one's own."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.session.account_page import PersonRequest, account_page
from invites import limits
from invites.ask_for_link.ask import (
    Asked,
    ask_again,
    ask_or_wait,
    asked_for,
    limited,
    log,
    remember,
    sent_page,
)
from invites.ask_for_link.form import EmailForm
from invites.link import opened
from invites.models import MagicLink
from kit import rate_limit, visitor
from kit.form import same_site
from kit.page import bound, page
from outbox.mail import lateness


@page(limits.ASK_PER_NETWORK)
def entry(request: HttpRequest) -> HttpResponse:
    """Takes an address and mails it a link, whoever's it is."""
    next_url = same_site(request.GET.get("next", ""))
    if request.user.is_authenticated:
        return render(request, "invites/ask_for_link/signed_in.html", {"next": next_url})
    return take_address(request, "invites/ask_for_link/entry.html", MagicLink.Purpose.LINK, next_url)


@page(limits.ASK_PER_NETWORK)
def reset(request: HttpRequest) -> HttpResponse:
    """The same for a new password."""
    return take_address(request, "invites/ask_for_link/reset.html", MagicLink.Purpose.RESET)


def take_address(request: HttpRequest, template: str, purpose: str, next_url: str = "") -> HttpResponse:
    form = bound(EmailForm, request, initial={"next": next_url})
    if not form.is_valid():
        return entry_page(request, template, form)
    email = form.cleaned_data["email"]
    asked = Asked(email, purpose, form.cleaned_data["next"])
    if suggestion := form.doubt():
        form.data = {**form.data.dict(), "sure": email}  # type: ignore[attr-defined]
        return entry_page(request, template, form, suggestion)
    if form.cleaned_data["leave_empty"]:
        log.warning("a program asked for a link ip=%s", visitor.ip(request))
        return remember(redirect("invite_sent"), asked)
    return ask_or_wait(request, asked)


def entry_page(request: HttpRequest, template: str, form: EmailForm, suggestion: str = "") -> HttpResponse:
    context = {"form": form, "suggestion": suggestion, "closed": settings.SIGNUP == "invited"}
    return render(request, template, context | {"minutes_late": lateness.minutes()})


@account_page(limits.ASK_PER_NETWORK)
def prove(request: PersonRequest) -> HttpResponse:
    """A link instead of the password, for somebody signed in who is asked for it; it leads back to that page."""
    if request.method != "POST":
        return redirect("account")
    email = request.person.email
    return ask_or_wait(request, Asked(email, next=same_site(request.POST.get("next", ""))))


@page(limits.ASK_PER_NETWORK)
def sent(request: HttpRequest) -> HttpResponse:
    """Says where the link went; its POST sends it again, to the same address or to that of a link that ran out."""
    if request.method != "POST":
        return sent_page(request, asked_for(request))
    instead, asked = None, asked_for(request)
    if "token" in request.POST:
        instead, purpose = opened.find_expired(request)
        asked = Asked(instead.email, purpose, instead.leads_to) if instead else Asked()
    if not asked.email:
        return redirect("entry")
    try:
        ask_again(request, asked, instead)
    except rate_limit.Limited as limit:
        return limited(request, asked, limit)
    return remember(sent_page(request, asked, resent=True), asked)
