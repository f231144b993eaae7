"""What the owner of an account can say about anything a mail told of: “this was not me”."""

import logging

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from accounts import clients, limits, tokens
from accounts.models import Event, EventUnavailable
from invites import links, mails
from invites.models import Invite
from invites.views import page

log = logging.getLogger("frontdoor.invites")


@never_cache
@page
@limits.per_network(limits.POST_PER_NETWORK)
def not_me(request: HttpRequest) -> HttpResponse:
    """A page with a button, for whoever has the mail, signed in or not: mail servers open links too."""
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")
    try:
        event = Event.objects.select_related("user").get(pk=tokens.load(tokens.NOT_ME, token))
    except (tokens.BadToken, Event.DoesNotExist):
        if request.method == "POST":
            limits.BAD_LINK_PER_NETWORK.check(request, clients.network(request))
        return links.broken(request)
    if not event.can_be_disowned():
        return over(request, event)
    if request.method != "POST":
        return render(request, "invites/not_me.html", {"event": event, "token": token})
    try:
        return disown(request, event)
    except EventUnavailable:  # pressed twice
        event.refresh_from_db()
        return over(request, event)


def disown(request: HttpRequest, event: Event) -> HttpResponse:
    trace = clients.trace(request)
    with transaction.atomic():
        account = event.disown(**trace)
        log.warning("disowned: %s of %s", event.kind, account.pk)
        if account.email != event.told:  # another account has that address by now
            return render(request, "invites/not_me_failed.html", status=409)
        language = get_language() or ""
        Invite.objects.issue(account.email, wish=mails.RESET, language=language, device=trace["device"])
    return render(request, "invites/not_me_done.html", {"email": account.email})


def over(request: HttpRequest, event: Event) -> HttpResponse:
    return render(request, "invites/not_me_over.html", {"event": event}, status=links.GONE)
