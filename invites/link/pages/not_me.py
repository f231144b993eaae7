"""What the owner of an account can say about anything a mail told of: “this was not me”."""

import logging
from typing import cast

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from accounts import notices
from accounts.limits import POST_PER_NETWORK
from accounts.models import Event, EventUnavailable, User
from invites import limits
from invites.link import dead
from invites.models import MagicLink
from kit import tokens, visitor
from kit.page import page

log = logging.getLogger("frontdoor.invites")


@page(POST_PER_NETWORK)
def not_me(request: HttpRequest) -> HttpResponse:
    """A page with a button, for whoever has the mail, signed in or not: mail servers open links too."""
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")
    try:
        event = Event.objects.select_related("user").get(pk=tokens.load(notices.NOT_ME, token))
    except (tokens.BadToken, Event.DoesNotExist):
        if request.method == "POST":
            limits.BAD_LINK_PER_NETWORK.check(request, visitor.network(request))
        return render(request, "invites/link/not_me_broken.html", status=404)
    if not event.can_be_disowned():
        return over(request, event)
    if request.method != "POST":
        return ask(request, event, token)
    try:
        return disown(request, event)
    except EventUnavailable:  # pressed twice
        event.refresh_from_db()
        return over(request, event)


def ask(request: HttpRequest, event: Event, token: str) -> HttpResponse:
    user = cast("User", event.user)
    taken = event.told != user.email and User.objects.filter(email=event.told).exists()
    factor = user.second_factor.was_set_up(since=event)
    return render(
        request, "invites/link/not_me.html", {"event": event, "token": token, "taken": taken, "factor_goes": factor}
    )


def disown(request: HttpRequest, event: Event) -> HttpResponse:
    trace = visitor.trace(request)
    with transaction.atomic():
        restored = event.user is not None and event.told != event.user.email
        account = event.disown(**trace)
        log.warning("disowned: %s of %s", event.kind, account.pk)
        if account.email != event.told:  # another account has that address by now
            return turned_off(request, event)
        language = get_language() or ""
        MagicLink.objects.issue(account.email, MagicLink.Purpose.DISOWNED, language=language, device=trace["device"])
    context = {"email": account.email, "restored": restored, "factor_off": is_off_since(account, event)}
    context["factor_on"] = account.second_factor.is_on
    return render(request, "invites/link/not_me_done.html", context)


def is_off_since(account: User, event: Event) -> bool:
    """Whether two-step verification is off, and would be on but for this event, what followed it, or this report."""
    changes = account.events.filter(
        kind__in=(Event.Kind.SECOND_FACTOR_ON, Event.Kind.SECOND_FACTOR_OFF), at__gte=event.at
    )
    return changes.exists() and not account.second_factor.is_on


def turned_off(request: HttpRequest, event: Event) -> HttpResponse:
    """However often it is asked for, with the same code to quote."""
    return render(request, "invites/link/not_me_failed.html", {"code": event.pk.hex[-12:]}, status=409)


def over(request: HttpRequest, event: Event) -> HttpResponse:
    if event.disowned_at and event.user and not event.user.is_active:
        return turned_off(request, event)
    context = {"reported": event.is_reported, "expired": event.is_over}
    return render(request, "invites/link/not_me_over.html", context, status=dead.GONE)
