"""The button on the account page that disconnects an app."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.session.account_page import PersonRequest, account_page
from sso.connected import connections
from sso.connected.sentences import disconnected


@account_page(asks=False)
def disconnect(request: PersonRequest) -> HttpResponse:
    """Disconnects, on POST, the app whose client id is posted as `app`, and says so in a message.

    Leads to the account page, as does a GET, which changes nothing. Raises Limited (the 429 page) after too many POSTs.
    """
    if request.method != "POST":
        return redirect("account")
    app = connections.disconnect(request.person, request.POST.get("app", ""), **request.trace)
    if app:
        messages.success(request, disconnected(app))
    else:
        messages.info(request, _("That app was not connected any more."))
    return redirect("account")
