"""Visits to Google by who is not signed in: with which invite they went, and what came of it."""

from django.http import HttpRequest, HttpResponse

from accounts.google import client as google
from invites.models import Invite

VISIT = "visit"  # in a session's data


def begin(request: HttpRequest, next_url: str, invite: Invite | None = None) -> HttpResponse:
    """Sends somebody to Google, to sign in or to join; invites.google.pages takes the answer."""
    hint, invited = (invite.email, invite.pk.hex) if invite else ("", "")
    request.session[VISIT] = {"invite": invited}
    return google.redirect(request, hint=hint, purpose="enter", next=next_url, invite=invited)
