"""Ending one session of the account."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from accounts.session.notes import HANDLE


@account_page(asks=False)
def end(request: PersonRequest) -> HttpResponse:
    """Ends, on POST, the user's session whose handle is posted as `session`, and says so in a message.

    If it was this session, nobody is signed in here any more. Leads to the account page, as does a GET, which changes
    nothing. Raises Limited (the 429 page) after too many POSTs.
    """
    user = request.person
    if request.method != "POST":
        return redirect("account")
    handle = request.POST.get("session", "")
    own = handle == request.session.get(HANDLE)
    session = user.sessions.end(handle, **request.trace)
    if session is None:
        messages.info(request, _("That session had already ended."))
        return redirect("account")
    if own:
        sessions.end(request)
    messages.success(request, _("Session ended: %(device)s.") % {"device": session.device_or_unknown})
    return redirect("account")
