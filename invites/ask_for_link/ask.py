"""Asking for a mailed link, for pages and JSON doors alike, and the page that says where the mail went."""

import logging
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from accounts.session import devices
from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits
from invites.ask_for_link import webmail
from invites.link import browser
from invites.models import LINK_LIFETIME, MagicLink
from kit import cookies, rate_limit, visitor
from outbox import limits as mail_limits
from outbox.mail import lateness

log = logging.getLogger("frontdoor.invites")

# The URL names of the pages where these are asked for; all else is asked for on the start page.
PAGES: dict[str, str] = {
    MagicLink.Purpose.REGISTER: "account_signup",
    MagicLink.Purpose.RESET: "account_reset_password",
}

COOKIE = "asked"  # remembers, in this browser, what was asked for and where the mail went


class LinkRequest(NamedTuple):
    """A visitor's request for a link: the address to mail, the purpose, and the path that the link leads to."""

    email: str = ""
    purpose: str = MagicLink.Purpose.LINK
    next: str = ""


def ask(request: HttpRequest, asked: LinkRequest, **given: Any) -> None:
    """Mails a link to the address in `asked`, whoever has it.

    `given` are further arguments of MagicLink.objects.issue(). Raises Limited after too many mails to the address or
    its mailbox, or from this network.
    """
    email, purpose, next_url = asked
    count(request, email, purpose)
    language, device = get_language() or "", visitor.device(request)
    MagicLink.objects.issue(email, purpose, language=language, device=device, next=next_url, **given)


def count(request: HttpRequest, email: str, purpose: str) -> None:
    """Counts a mail with a link to this address, and what is due for the visitor's network.

    Raises Limited after too many, before anything is read of the address.

    Anybody can use up the mails of an address for a day. So its owner has some more, to be asked for on devices that
    the account knows. What a visitor without their signed cookie sees and costs does not depend on the address.
    """
    network = rate_limit.take_due(request)
    # Counted apart, because a reset mail to an unknown address holds no link: within an hour, a stranger who asks for
    # these must not use up the mails that hold one.
    key = f"{purpose} {email}" if purpose == MagicLink.Purpose.RESET else email
    at_once = (limits.ASK_PER_ADDRESS_AT_ONCE, key)
    try:
        mail_limits.take(email, *network, at_once, (limits.ASK_PER_ADDRESS, key), site=visitor.site(request))
    except rate_limit.Limited as reached:
        if isinstance(reached.limit, rate_limit.NetworkQuota) or not (owner := devices.known_owner(request, email)):
            raise
        own = owner.pk.hex
        rate_limit.take_all(at_once, (limits.ASK_PER_OWNER, own), (limits.ASK_PER_OWNER_A_DAY, own))


def ask_again(request: HttpRequest, asked: LinkRequest, instead: MagicLink | None = None) -> None:
    """Mails a fresh link to the address in `asked`. `instead` is the dead link that it replaces, if that is known.

    For the purpose REGISTER, the account planned with `instead`, or else the last one planned in this browser, is
    planned with the fresh link. Raises Limited as ask() does.
    """
    planned: dict[str, Any] = {}
    if asked.purpose == MagicLink.Purpose.REGISTER:
        planned = MagicLink.objects.plan(instead, asked.email, browser.seal(request))
    ask(request, asked, instead=instead, **planned)


def ask_or_wait(request: HttpRequest, asked: LinkRequest, **given: Any) -> HttpResponse:
    """Mails a link as ask() does, and leads to the page that says where it went.

    When the address or its mailbox was mailed too often, returns that page (429), which says when the next mail can be
    asked for. Either way a cookie remembers `asked`. Raises Limited after too many mails from this network.
    """
    try:
        ask(request, asked, **given)
    except rate_limit.Limited as limit:
        return limited_page(request, asked, limit)
    return remember(redirect("invite_sent"), asked)


def limited_page(request: HttpRequest, asked: LinkRequest, limit: rate_limit.Limited) -> HttpResponse:
    """Returns the page that says where the last mail went (429), and by the reached `limit` when to ask for the next.

    The answer has a Retry-After header, and the cookie of remember(). Raises `limit` itself if it is the network's, for
    then perhaps nobody has mailed the address at all.
    """
    if limit.limit is mail_limits.NETWORK_A_DAY or isinstance(limit.limit, rate_limit.NetworkQuota):
        raise limit
    response = sent_page(request, asked, limit=limit, status=429)
    response["Retry-After"] = str(limit.seconds)
    return remember(response, asked)


def remember(response: HttpResponse, asked: LinkRequest) -> HttpResponse:
    """Notes `asked` in a cookie for an hour, as long as a link lives, so that no URL names the address.

    Returns the response.
    """
    return cookies.keep(response, COOKIE, list(asked), LINK_LIFETIME)


def recall(request: HttpRequest) -> LinkRequest:
    """Returns what this browser asked for last, from its cookie; with an empty `email` if there is no valid cookie."""
    return LinkRequest(*cookies.read(request, COOKIE, LINK_LIFETIME) or ())


def sent_page(request: HttpRequest, asked: LinkRequest, status: int = 200, **context: object) -> HttpResponse:
    """Returns the page that says where the mail for `asked` went, and how to send it again.

    `context` is added to the context of its template.
    """
    email, purpose = asked.email, asked.purpose
    # The mail must be opened in this browser if it is to prove something here, an account was planned here, or Google
    # waits here to be connected. A browser that has only asked for a fresh link need not be the one that planned.
    seen = GOOGLE_IDENTITY.read(request)
    connects = bool(seen) and seen["to_connect"] and seen["email"] == email
    proves = purpose == MagicLink.Purpose.PROOF
    here = proves or connects or (purpose == MagicLink.Purpose.REGISTER and bool(browser.seal(request)))
    context |= {"here": here, "proves": proves, "connects": connects, "purpose": purpose, "next": asked.next}
    context |= {"minutes_late": lateness.minutes()}
    context |= {"email": email, "again": PAGES.get(purpose, "entry"), "provider": webmail.provider(email)}
    return render(request, "invites/ask_for_link/sent.html", context, status=status)
