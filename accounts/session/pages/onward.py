"""The way on to a product on another host."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render

from accounts.session.account_page import PersonRequest, account_page


@account_page(safe_only=True)
def onward(request: PersonRequest) -> HttpResponse:
    """Leads whoever is signed in on to SIGNED_IN_URL, on another host; raises Http404 without one.

    By the Refresh header, not by a redirect: the page stands between a form and the other host, because browsers refuse
    to follow a form to a host that the Content-Security-Policy does not name (form-action, CSP3 §6.4.1).

    If a warning waits, the page shows all messages and stays until its button is pressed. Other messages are dropped:
    that the account is ready, the person sees by being led on.
    """
    there = settings.SIGNED_IN_URL
    if not there or there.startswith("/"):
        raise Http404
    waiting = list(messages.get_messages(request))  # read, so none of them is shown on some later page
    told = waiting if any(message.level >= messages.WARNING for message in waiting) else []
    response = render(request, "accounts/session/onward.html", {"there": there, "messages": told})
    if not told:
        response["Refresh"] = f"0; url={there}"
    return response
