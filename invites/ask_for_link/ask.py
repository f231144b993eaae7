"""Asking for mail, at whichever door, and what a page says of it then."""

import logging
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits
from invites.ask_for_link import webmail
from invites.link import browser
from invites.models import LINK_LIFETIME, MagicLink
from kit import cookies, rate_limit, visitor
from outbox.mail import lateness

log = logging.getLogger("frontdoor.invites")

# Where each is asked for, else on the start page.
PAGES: dict[str, str] = {
    MagicLink.Purpose.REGISTER: "account_signup",
    MagicLink.Purpose.RESET: "account_reset_password",
}

COOKIE = "asked"  # remembers, in this browser, what was asked for and where the mail went


class Asked(NamedTuple):
    """What somebody asks for: the address to mail, what for, and where the press is to lead."""

    email: str = ""
    purpose: str = MagicLink.Purpose.LINK
    next: str = ""


def ask(request: HttpRequest, asked: Asked, **given: Any) -> None:
    """Sends the one mail that every address gets; `given` is as MagicLink.objects.issue takes it. Raises Limited."""
    email, purpose, next_url = asked
    # Counted apart, as the mail about an unknown address holds no link: nobody should be able to use up the others.
    key = f"{purpose} {email}" if purpose == MagicLink.Purpose.RESET else email
    limits.ASK_PER_ADDRESS_AT_ONCE.check(request, key)
    limits.ASK_PER_ADDRESS.check(request, key)
    language, device = get_language() or "", visitor.device(request)
    MagicLink.objects.issue(email, purpose, language=language, device=device, next=next_url, **given)


def ask_again(request: HttpRequest, asked: Asked, instead: MagicLink | None = None) -> None:
    """Sends it once more, with what was planned; in place of a dead link, or of that which this browser asked for."""
    planned: dict[str, Any] = {}
    if asked.purpose == MagicLink.Purpose.REGISTER:
        planned = MagicLink.objects.plan(instead, asked.email, browser.seal(request))
    ask(request, asked, instead=instead, **planned)


def ask_or_wait(request: HttpRequest, asked: Asked, **given: Any) -> HttpResponse:
    """To the page that says where the mail went; if one went there just now, it says so too."""
    try:
        ask(request, asked, **given)
    except rate_limit.Limited as limit:
        return limited(request, asked, limit)
    return remember(redirect("invite_sent"), asked)


def limited(request: HttpRequest, asked: Asked, limit: rate_limit.Limited) -> HttpResponse:
    response = sent_page(request, asked, limit=limit, status=429)
    response["Retry-After"] = str(limit.seconds)
    return remember(response, asked)


def remember(response: HttpResponse, asked: Asked) -> HttpResponse:
    """Lets this browser, and no URL, know the address, for as long as the link lives."""
    return cookies.keep(response, COOKIE, list(asked), LINK_LIFETIME)


def asked_for(request: HttpRequest) -> Asked:
    """What this browser remembers; without an address if that is nothing."""
    return Asked(*cookies.read(request, COOKIE, LINK_LIFETIME) or ())


def sent_page(request: HttpRequest, asked: Asked, status: int = 200, **context: object) -> HttpResponse:
    email, purpose = asked.email, asked.purpose
    # A plan opens in its own browser only (one that asked for a fresh link may be another), and connects Google so.
    seen = GOOGLE_IDENTITY.read(request)
    connects = bool(seen) and seen["to_connect"] and seen["email"] == email
    here = connects or (purpose == MagicLink.Purpose.REGISTER and bool(browser.seal(request)))
    context |= {"here": here, "purpose": purpose}
    context |= {"minutes_late": lateness.minutes()}
    context |= {"email": email, "again": PAGES.get(purpose, "entry"), "provider": webmail.provider(email)}
    return render(request, "invites/ask_for_link/sent.html", context, status=status)
