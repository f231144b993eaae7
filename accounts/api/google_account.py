"""The Google account that somebody also signs in with."""

from typing import Any

from allauth.headless.socialaccount.response import SocialAccountsResponse
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.models import LastWayIn
from accounts.protocol import Error, OwnDoor, counted
from kit import visitor


@counted(limits.POST_PER_NETWORK)
class Providers(OwnDoor):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        connected = self.user.google.account
        return SocialAccountsResponse(request, [connected] if connected else [])

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Disconnects the `account` at a `provider`, by its uid there."""
        connected = self.user.google.account
        if not connected or [connected.provider, connected.uid] != [self.text("provider"), self.text("account")]:
            said = _("That account isn’t connected. Nothing has changed.")
            return Error(request, 400, "account_not_found", said, "account")
        if not self.user.has_usable_password():
            return self.last()
        self.demand_proof()
        try:
            self.user.google.disconnect(**visitor.trace(request))
        except LastWayIn:  # the password went in this moment
            return self.last()
        return self.get(request)

    def last(self) -> HttpResponse:
        said = _("Choose a password first. Google is still connected.")
        return Error(self.request, 400, "no_password", said)
