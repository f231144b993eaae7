"""Sign-ins to an account whose owner is leaving: every factor is proven, and they must say whether it stays."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.session.notes import COMING_BACK, SECOND_FACTOR


class Waiting(NamedTuple):
    """A sign-in that waits for its owner to keep the account: whose, how they came in, and where they were going."""

    user: User
    way: str
    factor: str
    next_url: str


def wait(request: HttpRequest, user: User, way: str, factor: str, next_url: str) -> HttpResponse:
    """Notes that the user, who has passed every factor, must keep the account first; redirects to the page that asks.

    `way` and `factor` are what they have shown, as sessions.enter() takes them. The note lasts 15 minutes. The
    session's id changes.
    """
    request.session.cycle_key()  # whoever planted the old id must not come in by it
    SECOND_FACTOR.drop(request)  # the code was right
    facts = {"way": way, "factor": factor, "next": next_url}
    COMING_BACK.keep(request, user=user.pk.hex, epoch=user.session_epoch, **facts)
    return redirect("account_keep")


def find(request: HttpRequest) -> Waiting | None:
    """Returns the sign-in that waits in this session; None if there is none, or if nobody can finish it any more.

    That is so if the account was deleted or turned off, or has ended all sessions. It may have been kept meanwhile.
    """
    note = COMING_BACK.read(request)
    if not note:
        return None
    user = User.objects.filter(pk=note["user"], is_active=True, session_epoch=note["epoch"]).first()
    return Waiting(user, note["way"], note["factor"], note["next"]) if user else None


def give_up(request: HttpRequest) -> None:
    """Forgets the sign-in that waits in this session."""
    COMING_BACK.drop(request)
