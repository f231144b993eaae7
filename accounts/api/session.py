"""JSON doors to a session. Each is the twin of a page: the same form, the same verb, the same limits."""

import logging
from typing import cast

from django.contrib.auth import logout as forget
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.models import User
from accounts.password.forms import WithProof
from accounts.password.login_form import LoginForm
from accounts.session import sessions
from accounts.session.notes import HANDLE
from accounts.who import signed_in, who
from kit import visitor
from kit.json_door import Fields, Invalid, Refused, body, endpoint, message

log = logging.getLogger("frontdoor.accounts")


@endpoint("GET")
def session(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Who is signed in here, until when; and for everybody the token that changing anything takes."""
    return who(request)


@endpoint("POST", limits.LOGIN_PER_NETWORK)
def login(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Signs in with a name or address and a password; who is signed in already stays."""
    if request.user.is_authenticated:
        return who(request)
    form = LoginForm(request, sent)
    if not form.is_valid() or not form.user:
        raise Invalid(form)
    sessions.start(request, form.user, way=sessions.PASSWORD)
    return who(request)


@endpoint("POST", limits.POST_PER_NETWORK, guard=signed_in)
def logout(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Ends every session of the account; with `{"only": "this"}` this one."""
    asked = body(request)  # as it is: a slip, or a null, must not end more than was meant
    for name, value in asked.items():
        if (name, value) != ("only", "this"):
            raise Refused(400, "invalid", _("Only “only” with “this” is possible here. You’re still signed in."), name)
    if asked:
        sessions.end(request)
        return message(_("You’re signed out on this device."))
    cast("User", request.user).sign_out(**visitor.trace(request))
    forget(request)
    return message(_("You’re signed out on all your devices."))


@endpoint("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def end_session(request: HttpRequest, _sent: Fields, handle: str) -> HttpResponse:
    """Ends one of one's own sessions."""
    own = handle == request.session.get(HANDLE)
    ended = cast("User", request.user).end_session(handle, **visitor.trace(request))
    if own:
        forget(request)
    if ended is None:
        raise Refused(404, "not_found", _("That session had already ended."))
    return message(_("Session ended: %(device)s.") % {"device": ended.called})


@endpoint("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def delete_account(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Deletes the account, with the password, or shortly after coming in by a mailed link."""
    form = WithProof(request, sent)
    if not form.is_valid():
        raise Invalid(form)
    try:
        form.user.erase(**visitor.trace(request))
    except DatabaseError:
        log.exception("deleting an account failed")
        said = _("We couldn’t delete your account just now. Nothing has been removed. Try again in a few minutes.")
        raise Refused(503, "unavailable", said) from None
    forget(request)
    return message(_("Your account has been deleted and you’re signed out everywhere."))
