"""What stands between a proven first factor and a session: the code of an authenticator app."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.session import devices
from accounts.session.notes import SECOND_FACTOR


class Waiting(NamedTuple):
    """Somebody whose first factor is proven, and where they were going."""

    user: User | None  # None once the account has gone, is turned off, ended all sessions, or asks for no code any more
    way: str
    next_url: str


def needed(request: HttpRequest, user: User) -> bool:
    """Whether a code is asked for: not if this session has passed one already, nor in a browser that is trusted."""
    return request.user != user and not devices.is_trusted(request, user) and user.second_factor.is_on


def wait(request: HttpRequest, user: User, way: str, next_url: str) -> HttpResponse:
    """Notes who waits, and answers with the way to the page that asks for the code."""
    request.session.cycle_key()  # whoever planted the old id must not come by who waits
    SECOND_FACTOR.keep(request, user=user.pk.hex, epoch=user.session_epoch, way=way, next=next_url)
    return redirect("mfa_authenticate")


def waiting(request: HttpRequest) -> Waiting | None:
    """Who waits for a code in this session, or None."""
    note = SECOND_FACTOR.read(request)
    if not note:
        return None
    user = User.objects.filter(pk=note["user"], is_active=True, session_epoch=note["epoch"]).first()
    return Waiting(user if user and user.second_factor.is_on else None, note["way"], note["next"])


def give_up(request: HttpRequest) -> None:
    """Back to the first step."""
    SECOND_FACTOR.drop(request)
