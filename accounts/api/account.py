"""JSON doors to the user's own account: reading it, and deleting it."""

import logging

from django.contrib.auth import logout as forget
from django.db import DatabaseError
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.password.forms import WithProof
from accounts.session.account_page import PersonRequest
from accounts.who import signed_in
from kit.json_door import Fields, Refused, door, message

log = logging.getLogger("frontdoor.accounts")


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Returns who the user is, their settings, and their ways to sign in."""
    user = request.person
    about = {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "settings": user.settings,
        "has_password": user.has_usable_password(),
        "google": user.google.email or None,
        "second_factor": user.second_factor.is_on,
        "joined_at": user.joined_at,
    }
    return JsonResponse({"user": about})


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def delete(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Deletes the account and ends all its sessions; needs `password` or a recent proof. Returns a message.

    Raises Refused without proof of ownership (403) or when the database fails (503), Invalid for a wrong password,
    Limited, and Superseded.
    """
    form = WithProof(request, sent)
    proof.check(form)
    try:
        request.person.erase(**request.trace)
    except DatabaseError:
        log.exception("deleting an account failed")
        said = _("We couldn’t delete your account just now. Nothing has been removed. Try again in a few minutes.")
        raise Refused(503, "unavailable", said) from None
    forget(request)
    return message(_("Your account has been deleted and you’re signed out everywhere."))
