"""Doors to the Google account by which a user can also sign in."""

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.api import proof
from accounts.google import client
from accounts.models import LastWayIn
from accounts.password.forms import WithProof
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in
from kit.json_door import Fields, Refused, door, message


@sensitive_post_parameters("password")
@door("POST", limits.POST_PER_NETWORK, guard=changes, form=True)
def connect(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Redirects to Google, to connect an account there; from there the browser comes back to the account page.

    The body is a form, as a browser sends it; needs `password` or a recent proof. Raises Refused if this site does not
    offer Google (404), if an account is connected already (409), or without proof of ownership (403), Invalid for a
    wrong password, and Limited.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Refused(404, "off", _("Google is not offered here."))
    if request.person.google.account:
        raise Refused(409, "connected", _("A Google account is connected. Disconnect it first. Nothing has changed."))
    proof.check(WithProof(request, sent))
    return client.connect(request)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def disconnect(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Disconnects the Google account. Needs `password` or a recent proof. Returns a message.

    Raises Refused if none is connected (404), without proof of ownership (403), and to a user without a password (409),
    who would have only mailed links left. Raises Invalid for a wrong password, Limited, and Superseded.
    """
    user = request.person
    if user.google.account is None:
        raise Refused(404, "not_found", _("No Google account is connected. Nothing has changed."))
    if not user.has_usable_password():
        raise last_way_in()
    proof.check(WithProof(request, sent))
    try:
        user.google.disconnect(**request.trace)
    except LastWayIn:  # the password was removed just now
        raise last_way_in() from None
    return message(_("Google is disconnected."))


def last_way_in() -> Refused:
    """Returns the refusal for a user without a password, who could then sign in by mailed links alone."""
    return Refused(409, "last_way_in", _("Choose a password first. Google is still connected."))
