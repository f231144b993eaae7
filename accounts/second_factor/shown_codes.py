"""Recovery codes: shown for a while in the session where they were made, and in no other."""

import time

from django.http import HttpRequest

from accounts.models import User

SHOWN = "codes"  # in a session's data: which recovery codes were made in it, and until when it may show them
SHOWN_FOR = 15 * 60  # seconds


def show(request: HttpRequest, user: User) -> None:
    request.session[SHOWN] = {"batch": user.second_factor.batch, "until": time.time() + SHOWN_FOR}


def are_shown(request: HttpRequest, user: User) -> bool:
    shown = request.session.get(SHOWN, {})
    return bool(shown) and time.time() < shown["until"] and shown["batch"] == user.second_factor.batch
