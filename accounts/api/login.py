"""JSON doors to sign in with a password, to enter the code after it, and to sign out."""

from django.contrib.auth import logout as forget
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.models import Superseded, User
from accounts.models.second_factor import RECOVERY
from accounts.password.login_form import LoginForm
from accounts.second_factor.forms import CodeForm
from accounts.session import devices, pending, sessions
from accounts.session.account_page import PersonRequest
from accounts.session.pending import Waiting
from accounts.who import missing_step, signed_in, who
from kit.json_door import Fields, Invalid, Refused, body, door, message


@door("POST", limits.LOGIN_PER_NETWORK)
def login(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Signs in with `login`, a name or address, and `password`. Returns who is signed in.

    If a code is missing, returns a 401 that asks for it. A user who is signed in already stays. Raises Invalid (401)
    for details that match no account, and Limited.
    """
    if request.user.is_authenticated:
        return who(request)
    form = LoginForm(request, sent)
    if not form.is_valid() or not form.user:
        raise Invalid(form, mismatch=401)
    sessions.start(request, form.user, way=sessions.PASSWORD)
    return who(request)


@door("DELETE", limits.POST_PER_NETWORK)
def give_up(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Forgets the sign-in that waits for its code, if any. Returns a message.

    So the visitor can begin again, perhaps as somebody else.
    """
    pending.give_up(request)
    return message(_("Nobody waits for a code here any more. Sign in again when you like."))


@door("POST", limits.FACTOR_PER_NETWORK, flags=("trust",))
def code(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Signs in a visitor who has passed the first factor, with their `code`. Returns who is signed in, and `next`.

    With `trust` this browser is asked for no code for a while. Raises Refused (401) if no sign-in waits for a code,
    Invalid for a wrong one, Limited.
    """
    if request.user.is_authenticated:  # perhaps by the first of two requests at once
        return who(request, next=None)
    waiting = pending.find(request)
    if waiting is None or waiting.user is None:
        raise missing_step(request)
    try:
        return enter(request, waiting.user, waiting, sent)
    except Superseded:  # all sessions of the account have ended just now
        pending.give_up(request)
        raise missing_step(request) from None


def enter(request: HttpRequest, user: User, waiting: Waiting, sent: Fields) -> HttpResponse:
    """Checks the code and starts the session. Returns who is signed in.

    Raises Invalid for a wrong code, Limited, and Superseded if all sessions of the account have ended meanwhile.
    """
    form = CodeForm(request, sent, user=user)
    if not form.is_valid():
        raise Invalid(form)
    sessions.enter(request, user, waiting.way)
    left = {"recovery_codes_left": len(user.second_factor.recovery_codes)} if form.kind == RECOVERY else {}
    answer = who(request, next=waiting.next_url or None, **left)
    return devices.trust(request, answer, user) if form.cleaned_data["trust"] else answer


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def logout(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Ends every session of the account; with `{"only": "this"}` in the body only this one.

    Returns a message. Raises Refused (400) for any other body.
    """
    asked = body(request)  # with its nulls, unlike `sent`: a slip must not end more sessions than was meant
    for name, value in asked.items():
        if (name, value) != ("only", "this"):
            raise Refused(400, "invalid", _("Only “only” with “this” is possible here. You’re still signed in."), name)
    if asked:
        sessions.end(request)
        return message(_("You’re signed out on this device."))
    request.person.sign_out(**request.trace)
    forget(request)
    return message(_("You’re signed out on all your devices."))
