"""Recovery codes: shown for a while in the session where they were made, and in no other."""

from django.http import HttpRequest

from accounts.models import User
from accounts.session.notes import SHOWN_CODES


def show(request: HttpRequest, user: User) -> None:
    SHOWN_CODES.keep(request, batch=user.second_factor.batch)


def are_shown(request: HttpRequest, user: User) -> bool:
    shown = SHOWN_CODES.read(request)
    return bool(shown) and shown["batch"] == user.second_factor.batch
