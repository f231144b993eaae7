"""Ending one session of the account, and prolonging this one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Event
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path


@account_page()
def end(request: PersonRequest) -> HttpResponse:
    """Ends, on POST, the user's session whose handle is posted as `session`, and says so in a message.

    Leads to the account page, as does a GET, which changes nothing. Raises Limited (the 429 page) after too many POSTs.
    """
    user = request.person
    if request.method != "POST":
        return redirect("account")
    session = user.sessions.end(request.POST.get("session", ""), **request.trace)
    if session is None:
        messages.info(request, _("That session had already ended."))
        return redirect("account")
    messages.success(request, _("Session ended: %(device)s.") % {"device": session.device_or_unknown})
    return redirect("account")


@account_page()
def prolong(request: PersonRequest) -> HttpResponse:
    """Prolongs this session, on POST, to twelve hours from now, if it is in its last hour, and records that.

    Leads to the posted `next`, or else to the account page, as does a GET, which changes nothing. Raises Limited (the
    429 page) after too many POSTs.
    """
    if request.method == "POST" and sessions.ends_at(request) < timezone.now() + sessions.LAST_HOUR:
        sessions.prolong(request)
        Event.objects.record(Event.Kind.PROLONGED, request.person, **request.trace)
        messages.success(request, _("You stay signed in for 12 more hours."))
    return redirect(safe_path(request.POST.get("next", "")) or "account")
