"""Recovery codes: shown for a while in the session where they were made, and in no other."""

from accounts.session.account_page import PersonRequest
from accounts.session.notes import SHOWN_CODES


def show(request: PersonRequest) -> None:
    SHOWN_CODES.keep(request, batch=request.person.second_factor.batch)


def are_shown(request: PersonRequest) -> bool:
    shown = SHOWN_CODES.read(request)
    return bool(shown) and shown["batch"] == request.person.second_factor.batch
