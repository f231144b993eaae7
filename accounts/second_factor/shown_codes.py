"""The right to read recovery codes again: for a while, in the session that made them and in no other."""

from accounts.session.account_page import PersonRequest
from accounts.session.notes import SHOWN_CODES


def show(request: PersonRequest) -> None:
    """Lets this session show the user's present recovery codes for 15 minutes (SHOWN_CODES)."""
    SHOWN_CODES.keep(request, batch=request.person.second_factor.batch)


def are_shown(request: PersonRequest) -> bool:
    """Returns whether this session may show the user's present recovery codes.

    It may for 15 minutes after it has made them, unless others have replaced them.
    """
    shown = SHOWN_CODES.read(request)
    return bool(shown) and shown["batch"] == request.person.second_factor.batch
