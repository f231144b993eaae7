"""The account page: who the user is, where they are signed in, and what happened lately."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from accounts.email_change import change
from accounts.models import Event
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page

EVENTS_SHOWN, OFTEN_SHOWN = 10, 5
OFTEN = (Event.Kind.SIGNED_IN, Event.Kind.FAILED, Event.Kind.CODE_FAILED)


@account_page(safe_only=True)
def account(request: PersonRequest) -> HttpResponse:
    """Shows the user's account, sessions and newest events, and a change of address that waits for its code.

    It has no POST (405).
    """
    user, this = request.person, sessions.stored_as(request)
    # Frequent events, which a stranger may cause, must not push everything else off the page.
    often = [user.events.filter(kind=kind).order_by("-id")[:OFTEN_SHOWN] for kind in OFTEN]
    events = user.events.exclude(kind__in=OFTEN).order_by("-id")[:EVENTS_SHOWN].union(*often).order_by("-id")
    moving = change.find_pending(request)
    context = {
        "sessions": user.sessions.for_list(this),
        "this": this,
        "events": events,
        "moving_to": moving.to if moving else "",
    }
    context["members_invite"] = settings.MEMBERS_INVITE
    return render(request, "accounts/profile/account.html", context)
