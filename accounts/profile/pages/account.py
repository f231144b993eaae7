"""The account page: who the user is, where they are signed in, and what happened lately."""

from django.db import models
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render

from accounts.email_change import change
from accounts.models import Event, Session
from accounts.profile.overview import overview
from accounts.profile.rows import event_row, session_row
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.prepared import Given, Prepared

EVENTS_SHOWN, OFTEN_SHOWN = 10, 5
OFTEN = (Event.Kind.SIGNED_IN, Event.Kind.APP_SIGNED_IN, Event.Kind.FAILED, Event.Kind.CODE_FAILED)


def newest_events() -> models.QuerySet[Event]:
    """Returns the query of the events that the page shows, for Prepared; `user` is given later."""
    events = Event.objects.filter(user=Given("user", models.UUIDField())).order_by("-id")
    # Frequent events, which a stranger may cause, must not push everything else off the page.
    often = [events.filter(kind=kind)[:OFTEN_SHOWN] for kind in OFTEN]
    return events.exclude(kind__in=OFTEN)[:EVENTS_SHOWN].union(*often).order_by("-id")


EVENTS = Prepared(newest_events)


@account_page(safe_only=True)
def account(request: PersonRequest) -> HttpResponse:
    """Shows the user's account, sessions and newest events, and a change of address that waits for its code.

    It has no POST (405).
    """
    user, this = request.person, sessions.stored_as(request)
    moving = change.find_pending(request)
    token = get_token(request)
    content = overview(
        user,
        sessions=[session_row(session, this, token) for session in Session.objects.list_of(user, this)],
        events=[event_row(event) for event in EVENTS.read(user=user.pk)],
        moving_to=moving.to if moving else "",
        csrf_token=token,
    )
    return render(request, "accounts/profile/account.html", {"content": content})
