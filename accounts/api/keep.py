"""JSON door for whoever has signed in to an account that they have left: to keep it, or to leave it at that."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.gate import keeping
from accounts.models import Superseded
from accounts.session import coming_back
from accounts.who import missing_step, who
from kit.json_door import Fields, door, message


@door("POST", limits.POST_PER_NETWORK)
def keep(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Keeps the account, and signs in. Answers who is signed in; `next` is where they were going, or null.

    Answers 401 if no sign-in waits for this, or all sessions of the account have ended meanwhile, and 429 after too
    many requests. A visitor who is signed in already stays signed in.
    """
    if request.user.is_authenticated:
        return who(request, next=None)
    waiting = keeping.find(request)
    if waiting is None:
        raise missing_step(request)
    try:
        keeping.keep(request, waiting)
    except Superseded:
        coming_back.give_up(request)
        raise missing_step(request) from None
    return who(request, next=waiting.next_url or None)


@door("DELETE", limits.POST_PER_NETWORK)
def leave(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Leaves it at that: the account is deleted when its day comes. Answers with a message, whoever asks.

    Answers 429 after too many requests.
    """
    coming_back.give_up(request)
    return message(_("Nobody waits here any more. Sign in again to keep the account."))
