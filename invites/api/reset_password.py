"""JSON doors for choosing a new password with a mailed link."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts.models import Superseded
from accounts.password.forms import ResetForm
from invites import purposes
from invites.api import press
from invites.link import dead, opened
from invites.models import MagicLink, Unavailable
from invites.reset_password import reset
from kit.json_door import Fields, Invalid, Refused, door, message

OVER = (Unavailable, Superseded, reset.TurnedOff, reset.NoAccount, reset.SignedInSince)  # why a link can't be used


@door("POST")
def check(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Returns the `username` of the account whose password the link of `token` lets its holder choose; changes nothing.

    Answers 404 for an invalid token or without an account, 403 for an account that is turned off, 410 for a link that
    works no longer, is too old for its account or from before its owner signed in, and 429 after too many presses or
    bad tokens.
    """
    link = press.find(request, sent, purposes.RESET)
    try:
        opened.count_press(request, link)
        return JsonResponse({"username": reset.owner(link).username})
    except OVER as reason:
        raise refusal(link, reason) from None


@door("POST")
def save(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Sets the `password` with the link of `token`, and ends every session. Returns a message; nobody is signed in.

    A second press of the same browser with the same password gets the same answer. Answers 404 for an invalid token or
    without an account, 403 for an account that is turned off, 410 for a link that works no longer, is too old for its
    account or from before its owner signed in, 400 for a weak password, and 429 after too many presses or bad tokens.
    """
    link = press.find(request, sent, purposes.RESET)
    try:
        opened.count_press(request, link)
        account = reset.owner(link)
        form = ResetForm(sent, user=account)
        if not form.is_valid():
            raise Invalid(form)
        reset.save(request, link, account, form.encoded)
    except OVER as reason:
        link = press.read_again(link)
        if not dead.is_second_press(request, link, purposes.RESET, sent.get("password", "")):
            raise refusal(link, reason) from None
    return message(_("Password changed. Sign in with the new one."))


def refusal(link: MagicLink, reason: Exception) -> Refused:
    """Returns the refusal for a link that can't be used to choose a password.

    `reason` is the exception, one of OVER: 404 for NoAccount, 403 for TurnedOff, 410 for the others.
    """
    if isinstance(reason, reset.NoAccount):
        return press.broken()
    if isinstance(reason, reset.TurnedOff):
        return press.inactive()
    if isinstance(reason, reset.SignedInSince):
        return press.signed_in_since()
    works = link.state == MagicLink.State.PENDING  # but all sessions of the account have ended since it was mailed
    return press.over(link, MagicLink.State.EXPIRED if works else link.state)
