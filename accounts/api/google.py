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
    """Redirects the browser (303) to Google to connect an account; Google sends it back to the account page.

    The body is an HTML form. Needs `password`, unless the user has proven ownership in the last 15 minutes. Answers 404
    if this site does not offer Google, 409 if an account is connected already, 403 without proof, 400 for a wrong
    password, 429 after too many requests, and 401 to anyone not signed in.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Refused(404, "off", _("Google is not offered here."))
    if request.person.google.account:
        raise Refused(409, "connected", _("A Google account is connected. Disconnect it first. Nothing has changed."))
    proof.check(WithProof(request, sent))
    return client.connect(request)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def disconnect(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Disconnects the Google account, mails the owner, and answers with a message.

    Needs `password`, unless the user has proven ownership in the last 15 minutes. Answers 404 if no account is
    connected, 409 to a user without a password, who would have only mailed links left, 403 without proof, 400 for a
    wrong password, 429 after too many tries, and 401 to anyone not signed in, or whose sessions have all ended
    meanwhile.
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
    """Returns the refusal (409) to disconnect Google for a user without a password.

    That user could then sign in by mailed links alone.
    """
    return Refused(409, "last_way_in", _("Choose a password first. Google is still connected."))
