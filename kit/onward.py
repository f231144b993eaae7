"""The way on by a page in between, where browsers would not follow a redirect."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import DisallowedRedirect
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.encoding import iri_to_uri

from kit.page import mark_secret

# A browser would run or open what follows these schemes.
NO_PLACES = {"javascript", "data", "vbscript", "blob", "file", "about"}


def name_place(response: HttpResponse, name: str) -> None:
    """Notes on a redirect what people call the place it leads to, for the page that may be put in front of it."""
    response.onward_name = name  # type: ignore[attr-defined]


def place_of(response: HttpResponse) -> str:
    """Returns what people call the place that a redirect leads to; "" if nobody has noted it."""
    return getattr(response, "onward_name", "")


def refresh_answer(request: HttpRequest, url: str, name: str = "") -> HttpResponse:
    """Returns a page that leads on to `url` at once, by the Refresh header, and has a link for whom it does not lead.

    Browsers do not follow a form to a host that the Content-Security-Policy does not name, however many redirects away
    (form-action, CSP3 §6.4.1). A Refresh is no part of the form any more. `name` is what people call the place.

    If a warning waits, the page shows all messages and stays until its link is pressed. Other messages are dropped:
    that all went well, the person sees by being led on. Raises DisallowedRedirect (400) for a scheme of NO_PLACES.
    """
    if urlsplit(url).scheme in NO_PLACES:
        raise DisallowedRedirect
    # Neither quotes nor semicolons end a URL that begins with none (HTML, "shared declarative refresh steps").
    there = iri_to_uri(url)
    waiting = list(messages.get_messages(request))  # read, so none of them is shown on some later page
    told = waiting if any(message.level >= messages.WARNING for message in waiting) else []
    # Without the form for another language: its answer would lead to the address of a form.
    page = render(request, "onward.html", {"there": there, "app": name, "messages": told, "csrf_token": ""})
    if not told:
        page["Refresh"] = f"0; url={there}"
    add_never_cache_headers(page)
    return mark_secret(page)  # a code may stand in the URL
