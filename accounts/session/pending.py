"""Sign-ins that wait for their second step: the first factor is proven, the code is still missing."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.session import devices
from accounts.session.notes import SECOND_FACTOR


class Waiting(NamedTuple):
    """A sign-in that waits for its code: whose it is, the way they came in, and where they were going."""

    user: User | None  # None if the account was deleted or turned off, ended all sessions, or needs no code now
    way: str
    next_url: str


def needed(request: HttpRequest, user: User) -> bool:
    """Returns whether signing in needs a code.

    It needs none in a session that is the user's already, in a trusted browser, and with two-step verification off.
    Whoever has turned that on since the user was read has ended all sessions: then none begins (sessions.enter).
    """
    if request.user == user or devices.is_trusted(request, user):
        return False
    return has_second(user)


def has_second(user: User) -> bool:
    """Returns whether two-step verification was on for `user` when they were read, or else is on now."""
    return user.second_factor.is_on if user.has_app is None else user.has_app


def wait(request: HttpRequest, user: User, way: str, next_url: str) -> HttpResponse:
    """Notes that the user's sign-in waits for a code, and redirects to the page that asks for it.

    `way` is how they proved the first factor, `next_url` where they were going. The note lasts 15 minutes. The
    session's id changes.
    """
    request.session.cycle_key()  # whoever planted the old id must not share the half-finished sign-in
    SECOND_FACTOR.keep(request, user=user.pk.hex, epoch=user.session_epoch, way=way, next=next_url)
    return redirect("mfa_authenticate")


def find(request: HttpRequest) -> Waiting | None:
    """Returns the sign-in that waits for a code in this session, or None.

    Its user is None if nobody can finish it any more: the account was deleted or turned off, ended all sessions, or
    needs no code now.
    """
    note = SECOND_FACTOR.read(request)
    if not note:
        return None
    user = User.objects.filter(pk=note["user"], is_active=True, session_epoch=note["epoch"]).first()
    return Waiting(user if user and user.second_factor.is_on else None, note["way"], note["next"])


def give_up(request: HttpRequest) -> None:
    """Forgets the sign-in that waits for a code in this session: the visitor begins again."""
    SECOND_FACTOR.drop(request)
