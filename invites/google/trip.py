"""Sends visitors who are not signed in to Google, and remembers which link they came from."""

from django.http import HttpRequest, HttpResponse

from accounts.google import client as google
from accounts.session.notes import A_WHILE
from invites.models import MagicLink
from kit.session_notes import Note

# `link`: the id of the mailed link that the visitor came from, or "". After a visit that signed nobody in, also
# `outcome` (why), `email` (as Google named it) and `next` (where the visit would have led).
GOOGLE_TRIP = Note("google_trip", A_WHILE)


def begin(request: HttpRequest, next_url: str, link: MagicLink | None = None) -> HttpResponse:
    """Redirects a visitor to Google to sign in or sign up; the answer arrives at invites.google.pages.response.

    `next_url` and the link's id come back with the answer; the link is noted in the session, too. The link's address is
    the one that Google suggests.
    """
    hint, came_by = (link.email, link.pk.hex) if link else ("", "")
    GOOGLE_TRIP.keep(request, link=came_by)
    return google.redirect(request, hint=hint, purpose="enter", next=next_url, link=came_by)
