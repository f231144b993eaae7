"""Ending one session of the account."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.session.account_page import PersonRequest, account_page


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
