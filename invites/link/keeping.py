"""Keeping an account that was to be deleted, by the link in the mail about it; for the page and the JSON door alike."""

from django.http import HttpRequest

from accounts import notices
from accounts.models import Event, Superseded
from invites import limits
from kit import tokens, visitor


class Broken(Exception):
    """The token is none of ours for this, or its account is deleted by now."""


def find(request: HttpRequest, token: str) -> Event:
    """Returns the event, with its user, by which the deletion was chosen that the mail with this token is about.

    Raises Broken for an invalid token and for a deleted account, and Limited when a network has posted too many.
    """
    try:
        return Event.objects.select_related("user").get(pk=tokens.load(notices.KEEP, token), user__isnull=False)
    except (tokens.BadToken, Event.DoesNotExist):
        if request.method == "POST":
            limits.BAD_LINK_PER_NETWORK.check_network(request)
        raise Broken from None


def keep(request: HttpRequest, event: Event) -> None:
    """Lets the account of an event of find() stay, also if it was to stay already. Raises Broken if it is gone."""
    try:
        if event.user:
            event.user.leaving.come_back(**visitor.trace(request))
    except Superseded:
        raise Broken from None
