"""Asking for mail, at whichever door, and what a page says of it then."""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits, mails
from invites.ask_for_link import webmail
from invites.link import browser
from invites.models import LINK_LIFETIME, Invite
from kit import cookies, rate_limit, visitor
from outbox.mail import lateness

log = logging.getLogger("frontdoor.invites")

PAGES = {mails.REGISTER: "account_signup", mails.RESET: "account_reset_password"}  # where each wish is made, else /

ASKED = "asked"  # the cookie that remembers, in this browser, what was asked for and where the mail went


def ask(request: HttpRequest, email: str, wish: str = mails.LINK, **given: Any) -> None:
    """Sends the one mail that every address gets. Raises Limited."""
    # Counted apart, as the mail about an unknown address holds no link: nobody should be able to use up the others.
    key = f"{mails.RESET} {email}" if wish == mails.RESET else email
    limits.ASK_PER_ADDRESS_AT_ONCE.check(request, key)
    limits.ASK_PER_ADDRESS.check(request, key)
    language, device = get_language() or "", visitor.device(request)
    Invite.objects.issue(email, wish=wish, language=language, device=device, **given)


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


def remember(response: HttpResponse, email: str, wish: str = mails.LINK) -> HttpResponse:
    """Lets this browser, and no URL, know the address, for as long as the link lives."""
    return cookies.keep(response, ASKED, [email, wish], LINK_LIFETIME)


def asked_for(request: HttpRequest) -> tuple[str, str]:
    """The address and the wish that this browser remembers, or "" for both."""
    email, wish = cookies.read(request, ASKED, LINK_LIFETIME) or ("", "")
    return email, wish


def sent_page(request: HttpRequest, email: str, wish: str, status: int = 200, **context: object) -> HttpResponse:
    # A plan opens in its own browser only (one that asked for a fresh link may be another), and connects Google so.
    seen = GOOGLE_IDENTITY.read(request)
    connects = bool(seen) and seen["to_connect"] and seen["email"] == email
    here = connects or (wish == mails.REGISTER and bool(browser.seal(request)))
    context |= {"here": here, "wish": wish}
    context |= {"minutes_late": lateness.minutes()}
    context |= {"email": email, "again": PAGES.get(wish, "entry"), "provider": webmail.provider(email)}
    return render(request, "invites/ask_for_link/sent.html", context, status=status)
