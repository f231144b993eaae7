"""The Google account that somebody also signs in with."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.api import proof
from accounts.google import client
from accounts.models import LastWayIn, User
from accounts.password.forms import WithProof
from accounts.who import signed_in
from kit import visitor
from kit.json_door import Fields, Refused, door, message


@sensitive_post_parameters("password")
@door("POST", limits.POST_PER_NETWORK, guard=signed_in, form=True)
def connect(request: HttpRequest, sent: Fields) -> HttpResponse:
    """A form that a browser sends: on to Google, and from there to the account page."""
    user = cast("User", request.user)
    if not settings.GOOGLE_CLIENT_ID:
        raise Refused(404, "off", _("Google is not offered here."))
    if user.google.account:
        raise Refused(409, "connected", _("A Google account is connected. Disconnect it first. Nothing has changed."))
    proof.check(WithProof(request, sent))
    return client.connect(request, user)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def disconnect(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Takes it away, if there is another way in than mailed links."""
    user = cast("User", request.user)
    if user.google.account is None:
        raise Refused(404, "not_found", _("No Google account is connected. Nothing has changed."))
    if not user.has_usable_password():
        raise last_way_in()
    proof.check(WithProof(request, sent))
    try:
        user.google.disconnect(**visitor.trace(request))
    except LastWayIn:  # the password went just now
        raise last_way_in() from None
    return message(_("Google is disconnected."))


def last_way_in() -> Refused:
    return Refused(409, "last_way_in", _("Choose a password first. Google is still connected."))
