"""The page that says where the mail went, and how to go on from there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits, who_may_join
from invites.ask_for_link import waiting, webmail
from invites.ask_for_link.ask import ask
from invites.ask_for_link.asked import LinkRequest, remember
from invites.ask_for_link.typed_code import CodeForm
from invites.models import MagicLink
from kit import rate_limit
from outbox import limits as mail_limits
from outbox.mail import lateness

# The URL names of the pages where these are asked for; all else is asked for on the start page.
PAGES: dict[str, str] = {
    MagicLink.Purpose.REGISTER: "account_signup",
    MagicLink.Purpose.RESET: "account_reset_password",
    MagicLink.Purpose.REQUEST: "ask",
}


def ask_or_wait(request: HttpRequest, asked: LinkRequest, **given: Any) -> HttpResponse:
    """Mails a link as ask() does, and leads to the page that says where it went.

    When the address or its mailbox was mailed too often, returns that page (429), which says when the next mail can be
    asked for. Either way a cookie remembers `asked`. Raises Limited after too many mails from this network.
    """
    try:
        ask(request, asked, **given)
    except rate_limit.Limited as limit:
        return limited_page(request, asked, limit)
    return remember(request, redirect("invite_sent"), asked)


def limited_page(request: HttpRequest, asked: LinkRequest, limit: rate_limit.Limited) -> HttpResponse:
    """Returns the page that says where the last mail went (429), and by the reached `limit` when to ask for the next.

    The answer has a Retry-After header, and the cookie of remember(). Raises `limit` itself if it is the network's or
    that of all requests to join, for then perhaps nobody has mailed the address at all.
    """
    of_all = (mail_limits.NETWORK_A_DAY, limits.REQUESTS_A_DAY)
    if limit.limit in of_all or isinstance(limit.limit, rate_limit.NetworkQuota):
        raise limit
    response = sent_page(request, asked, limit=limit, status=429)
    response["Retry-After"] = str(limit.seconds)
    return remember(request, response, asked)


def sent_page(request: HttpRequest, asked: LinkRequest, status: int = 200, **context: object) -> HttpResponse:
    """Returns the page that says where the mail for `asked` went, and how to send it again.

    `context` is added to the context of its template.
    """
    email, purpose = asked.email, asked.purpose
    seen = GOOGLE_IDENTITY.read(request)
    connects = bool(seen) and seen["to_connect"] and seen["email"] == email
    proves = purpose == MagicLink.Purpose.PROOF
    context = {"form": CodeForm(request, asked), "way_on": waiting.way_on(request, asked)} | context
    context["still"] = waiting.STILL in request.GET
    context |= {"proves": proves, "connects": connects, "purpose": purpose, "next": asked.next}
    context |= {"minutes_late": lateness.minutes()}
    if email and purpose in {MagicLink.Purpose.LINK, MagicLink.Purpose.REGISTER}:
        context["warning"] = who_may_join.warning(email)
    context |= {"email": email, "again": PAGES.get(purpose, "entry"), "provider": webmail.provider(email)}
    return render(request, "invites/ask_for_link/sent.html", context, status=status)
