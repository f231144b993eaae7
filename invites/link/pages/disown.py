"""The page for whoever gets a mail with a link that they have not asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from invites import purposes
from invites.link import dead, opened
from invites.models import MagicLink
from kit.page import page


@page()
def disown(request: HttpRequest) -> HttpResponse:
    """Shows one button for the link of `?token=`. Its POST makes the codes worthless that the link's page has shown.

    So whoever has asked for the link with somebody else's address has asked in vain. The link itself still works for
    the reader of the mailbox: a mail scanner that presses this button takes nothing away. A link that works no longer
    gets a page that says why (410), an invalid token another (404). Raises Limited after too many presses or bad
    tokens.
    """
    token = opened.sent_token(request)

    def find(request: HttpRequest) -> MagicLink | None:
        return opened.find_link(request, token, *opened.FRESHENED)

    def over(request: HttpRequest, link: MagicLink) -> HttpResponse:
        return dead.page(request, link, purposes.CONFIRM)

    def view(request: HttpRequest, link: MagicLink) -> HttpResponse:
        done = request.method == "POST"
        if done:
            link.disown()
        return render(request, "invites/link/disown.html", {"link": link, "token": token, "done": done})

    return opened.opened_by(find, {MagicLink.State.PENDING}, over, view)(request)
