"""The right to read recovery codes again: for a while, in the session that made them and in no other."""

from accounts.session.account_page import PersonRequest
from accounts.session.notes import SHOWN_CODES


def show(request: PersonRequest) -> None:
    """Lets this session show the present recovery codes for a while (SHOWN_CODES)."""
    SHOWN_CODES.keep(request, batch=request.person.second_factor.batch)


def are_shown(request: PersonRequest) -> bool:
    """Returns whether this session may show the present recovery codes, because it has just made them."""
    shown = SHOWN_CODES.read(request)
    return bool(shown) and shown["batch"] == request.person.second_factor.batch
