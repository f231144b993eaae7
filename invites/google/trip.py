"""Visits to Google by people who are not signed in: with which link they went, and what came of it."""

from django.http import HttpRequest, HttpResponse

from accounts.google import client as google
from invites.models import MagicLink

VISIT = "visit"  # in a session's data


def begin(request: HttpRequest, next_url: str, link: MagicLink | None = None) -> HttpResponse:
    """Sends somebody to Google, to sign in or to join; invites.google.pages takes the answer."""
    hint, came_by = (link.email, link.pk.hex) if link else ("", "")
    request.session[VISIT] = {"link": came_by}
    return google.redirect(request, hint=hint, purpose="enter", next=next_url, link=came_by)
