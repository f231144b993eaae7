"""Visits to Google by people who are not signed in: with which link they went, and what came of it."""

from django.http import HttpRequest, HttpResponse

from accounts.google import client as google
from accounts.session.notes import A_WHILE
from invites.models import MagicLink
from kit.session_notes import Note

# The id of the `link` by which somebody went to Google; after a visit that led no further, why (`outcome`), with which
# `email`, and where it would have led (`next`).
GOOGLE_TRIP = Note("google_trip", A_WHILE)


def begin(request: HttpRequest, next_url: str, link: MagicLink | None = None) -> HttpResponse:
    """Sends somebody to Google, to sign in or to join; invites.google.pages takes the answer."""
    hint, came_by = (link.email, link.pk.hex) if link else ("", "")
    GOOGLE_TRIP.keep(request, link=came_by)
    return google.redirect(request, hint=hint, purpose="enter", next=next_url, link=came_by)
