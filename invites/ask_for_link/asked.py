"""What a visitor has asked for, and how their browser remembers it."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse

from invites.link import browser
from invites.models import LINK_LIFETIME, MagicLink
from kit import cookies

COOKIE = "asked"  # remembers, in this browser, what was asked for and where the mail went


class LinkRequest(NamedTuple):
    """A visitor's request for a link: the address to mail, the purpose, and the path that the link leads to."""

    email: str = ""
    purpose: str = MagicLink.Purpose.LINK
    next: str = ""


def remember(request: HttpRequest, response: HttpResponse, asked: LinkRequest) -> HttpResponse:
    """Notes `asked` in a cookie for an hour, as long as a link lives, so that no URL names the address.

    Another cookie is that by which this browser is known again as the one that asked. Returns the response.
    """
    return browser.set_cookie(request, cookies.keep(response, COOKIE, list(asked), LINK_LIFETIME))


def recall(request: HttpRequest) -> LinkRequest:
    """Returns what this browser asked for last, from its cookie; with an empty `email` if there is no valid cookie."""
    return LinkRequest(*cookies.read(request, COOKIE, LINK_LIFETIME) or ())
