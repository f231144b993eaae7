"""The page behind “this was not me”, a link in the mails that tell the owner what was done with the account."""

import logging
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from accounts import notices, preferences
from accounts.limits import POST_PER_NETWORK
from accounts.models import Event, EventUnavailable, NotMe, User
from invites import limits
from invites.link import dead, opened
from invites.models import Invite, InviteQuerySet, MagicLink
from kit import tokens, visitor
from kit.page import page

log = logging.getLogger("frontdoor.invites")


@page(POST_PER_NETWORK)
def not_me(request: HttpRequest) -> HttpResponse:
    """Shows the event that a mail told of, and one button. Its POST reports the event, and says what that has undone.

    It needs the mail's token, and no session. A GET changes nothing: mail servers open links too. An invalid token gets
    a page (404), and so does an event that can't be reported any more (410). Raises Limited when a network has posted
    too often, or too many invalid tokens.
    """
    token = opened.sent_token(request)
    try:
        event = Event.objects.select_related("user").get(pk=tokens.load(notices.NOT_ME, token))
    except (tokens.BadToken, Event.DoesNotExist):
        if request.method == "POST":
            limits.BAD_LINK_PER_NETWORK.check_network(request)
        return render(request, "invites/link/not_me_broken.html", status=404)
    if not NotMe(event).can_be_said():
        return over(request, event)
    if request.method != "POST":
        return ask(request, event, token)
    try:
        return disown(request, event)
    except EventUnavailable:  # pressed twice
        event.refresh_from_db()
        return over(request, event)


def ask(request: HttpRequest, event: Event, token: str) -> HttpResponse:
    """Returns the page with the button, which lists what reporting the event will undo. `token` goes into its form."""
    user, report = cast("User", event.user), NotMe(event)
    context = {
        "event": event,
        "token": token,
        "taken": event.told != user.email and User.objects.filter(email=event.told).exists(),
        "factor_goes": user.second_factor.was_set_up(since=event),
        "codes_go": report.recovery_codes_go,
        "name": report.former_name,
        "silenced": preferences.silenced(user.settings),
        "invites": sent_since(user, event).exists(),
    }
    return render(request, "invites/link/not_me.html", context)


def disown(request: HttpRequest, event: Event) -> HttpResponse:
    """Reports the event, and mails the owner a link to choose a new password by. Returns the page that says so.

    Withdraws the invitations that the account has sent since. If another account has the mailed address by now, this
    turns the account off, mails no link, and returns the page that says so (409). Raises EventUnavailable when the
    event can't be reported any more.
    """
    trace = visitor.trace(request)
    with transaction.atomic():
        found = undone_by(event)
        account = NotMe(event).say(**trace)
        withdrawn = sent_since(account, event).revoke(account)
        log.warning("disowned: %s of %s", event.kind, account.pk)
        if account.email != event.told:  # another account has that address by now
            return turned_off(request, event)
        language = get_language() or ""
        MagicLink.objects.issue(account.email, MagicLink.Purpose.DISOWNED, language=language, device=trace["device"])
    context = found | {"email": account.email, "username": account.username, "withdrawn": len(withdrawn.done)}
    context["factor_off"] = is_off_since(account, event)
    context["factor_on"] = account.second_factor.is_on
    return render(request, "invites/link/not_me_done.html", context)


def undone_by(event: Event) -> dict[str, Any]:
    """Returns, for the page about it, what reporting the event is about to undo. To be called before the report."""
    user, report = event.user, NotMe(event)
    if user is None:
        return {}
    return {
        "restored": event.told != user.email,
        "google": user.google.email,
        "codes_off": report.recovery_codes_go,
        "name": report.former_name,
        "heard_again": bool(preferences.silenced(user.settings)),
    }


def sent_since(user: User, event: Event) -> InviteQuerySet:
    """Returns the open invitations that the account has sent since the event."""
    return Invite.objects.filter(invited_by=user, created_at__gte=event.at).open()


def is_off_since(account: User, event: Event) -> bool:
    """Returns whether two-step verification is off, and was turned on or off by this event or after it.

    The report of the event may itself have turned it off.
    """
    changes = account.events.filter(
        kind__in=(Event.Kind.SECOND_FACTOR_ON, Event.Kind.SECOND_FACTOR_OFF), at__gte=event.at
    )
    return changes.exists() and not account.second_factor.is_on


def turned_off(request: HttpRequest, event: Event) -> HttpResponse:
    """Returns the page (409) of an account that is turned off, because another account has its address by now.

    It shows a code to quote to the staff, who must look at it; the code is the same whenever the page is loaded.
    """
    return render(request, "invites/link/not_me_failed.html", {"code": event.pk.hex[-12:]}, status=409)


def over(request: HttpRequest, event: Event) -> HttpResponse:
    """Returns the page (410) of an event that can't be reported any more.

    If the report of the event has turned the account off, returns the page of turned_off() (409) again.
    """
    if event.disowned_at and event.user and not event.user.is_active:
        return turned_off(request, event)
    said = NotMe(event)
    context = {"reported": said.is_reported, "expired": said.is_over}
    return render(request, "invites/link/not_me_over.html", context, status=dead.GONE)
