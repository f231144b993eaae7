"""On to Google: a browser sends a form here and follows where it is sent."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import limits
from accounts.google import client as google
from accounts.protocol import Door, counted, signed_out
from accounts.session import sessions
from invites.google import trip
from kit.form import same_site


@counted(limits.GOOGLE_PER_NETWORK)
class Visit(Door):
    def read(self, request: HttpRequest) -> dict[str, Any]:
        return request.POST.dict()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """To the `provider` google and back to `callback_url`; or with the `process` connect to the account page."""
        if not settings.GOOGLE_CLIENT_ID or self.text("provider") != google.Provider.id:
            raise Http404
        if self.text("process") == "connect":
            return connect(request)
        next_url = same_site(self.text("callback_url").removeprefix(settings.SITE_URL))
        if request.user.is_authenticated:
            return redirect(next_url or "account")
        return trip.begin(request, next_url)


def connect(request: HttpRequest) -> HttpResponse:
    """What is missing is asked for by the page."""
    if not request.user.is_authenticated:
        return signed_out(request, ended=False)
    if request.user.google.account:
        return redirect("account_google_disconnect")
    return google.connect(request, request.user) if sessions.is_proven(request) else redirect("account_google")
