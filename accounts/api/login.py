"""JSON doors to sign in with a password, to enter the code after it, and to sign out."""

from typing import Any

from django.contrib.auth import logout as forget
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.codes import second_press
from accounts.models import Superseded, User
from accounts.models.second_factor import RECOVERY
from accounts.password import breaches
from accounts.password.login_form import LoginForm
from accounts.second_factor.forms import CodeForm
from accounts.session import devices, pending, sessions
from accounts.session.account_page import PersonRequest
from accounts.session.pending import Waiting
from accounts.who import missing_step, signed_in, who
from kit.json_door import Fields, Invalid, Refused, body, door, message
from kit.rate_limit import Due


@door("POST", Due(limits.LOGIN_PER_NETWORK))
def login(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Signs in with `login`, a name or address, and `password`. Answers who is signed in.

    Answers 401 with the code `second_factor` if a code must follow, 401 for details that match no account, 400 if a
    field is missing, and 429 after too many tries. A visitor who is signed in already stays signed in, whatever is
    sent.
    """
    if request.user.is_authenticated:
        return who(request)
    form = LoginForm(request, sent)
    if not form.is_valid() or not form.user:
        raise Invalid(form, mismatch=401)
    sessions.start(request, form.user, way=sessions.PASSWORD)
    breaches.note(request, form.user, form.cleaned_data["password"])
    return who(request, **breaches.member(request))


@door("DELETE", limits.POST_PER_NETWORK)
def give_up(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Forgets the sign-in that waits for its code, if any, and answers with a message.

    So the visitor can begin again, perhaps as another user. Answers 429 after too many requests.
    """
    pending.give_up(request)
    return message(_("Nobody waits for a code here any more. Sign in again when you like."))


@door("POST", limits.FACTOR_PER_NETWORK, flags=("trust",))
def code(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Signs in a visitor who has passed the first factor, with their `code`. Answers who is signed in.

    `next` in the answer is where they were going, or null. With `trust` this browser is asked for no code for 30 days.
    Answers 401 if no sign-in waits for a code, or all sessions of the account have ended meanwhile, 400 for a wrong
    code, and 429 after too many tries. A visitor who is signed in already stays signed in, whatever is sent.
    """
    if request.user.is_authenticated:  # perhaps by the first of two requests at once
        return who(request, next=None)
    waiting = pending.find(request) or second_press.find(request)
    if waiting is None or waiting.user is None:
        raise missing_step(request)
    try:
        return enter(request, waiting.user, waiting, sent)
    except Superseded:  # all sessions of the account have ended just now
        pending.give_up(request)
        raise missing_step(request) from None


def enter(request: HttpRequest, user: User, waiting: Waiting, sent: Fields) -> HttpResponse:
    """Checks the sent `code` of `user`, starts the session, and returns the JSON that says who is signed in.

    It also holds `next` and, after a recovery code, how many are left; with the field `trust`, the response sets the
    cookie of a trusted browser. If the owner is leaving, it is the 401 that asks whether the account stays. Raises
    Invalid for a wrong code, Limited after too many tries, and Superseded if all sessions of the account have ended
    meanwhile.
    """
    form = CodeForm(request, sent, user=user)
    if not form.is_valid():
        raise Invalid(form)
    second_press.remember(request, waiting)
    sessions.go_on(request, user, waiting.way, waiting.next_url, factor=form.factor)
    more: dict[str, Any] = {"next": waiting.next_url or None, **breaches.member(request)}
    if form.kind == RECOVERY:
        more["recovery_codes_left"] = len(user.second_factor.recovery_codes)
    answer = who(request, **more)
    return devices.trust(request, answer, user) if form.cleaned_data["trust"] else answer


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def logout(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Ends every session of the account, or only this one for `{"only": "this"}`. Answers with a message.

    Answers 400, and ends no session, for any other member of the body, 429 after too many requests, and 401 to anyone
    not signed in.
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
