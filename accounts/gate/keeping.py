"""Keeping an account that was to be deleted, at the end of a sign-in; for the page and the JSON door alike."""

from django.http import HttpRequest, HttpResponse

from accounts.codes import second_press
from accounts.session import coming_back, sessions
from accounts.session.coming_back import Waiting
from kit import visitor


def find(request: HttpRequest) -> Waiting | None:
    """Returns the sign-in that waits in this session for its account to be kept, or did a moment ago; else None."""
    return coming_back.find(request) or second_press.find_kept(request)


def keep(request: HttpRequest, waiting: Waiting) -> HttpResponse:
    """Lets the account stay, starts the session that waited, and returns the redirect to where it was going.

    Raises Superseded if the account was deleted meanwhile, or has ended all sessions.
    """
    waiting.user.leaving.come_back(**visitor.trace(request))
    second_press.remember_kept(request, waiting)
    coming_back.give_up(request)
    return sessions.go_on(request, waiting.user, waiting.way, waiting.next_url, factor=waiting.factor)
