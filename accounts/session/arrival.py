"""How somebody came into their session: the way, the second factor, and when they last showed who they are."""

import time
from typing import NamedTuple

from django.http import HttpRequest

from accounts.session.notes import AUTH_TIME, BEGAN, FACTOR, HANDLE, WAY

# What a second factor may have been, as FACTOR says.
APP, RECOVERY_CODE, TRUSTED_BROWSER = "app", "recovery_code", "trusted_browser"
SHOWN_FACTORS = (APP, RECOVERY_CODE)  # a trusted browser has shown none, only remembered one


class Arrival(NamedTuple):
    """How the owner of a session came in; `way` and `factor` are "" if a library began it, not sessions.enter()."""

    way: str  # how they last showed the first factor: PASSWORD, LINK, SIGNUP or GOOGLE (accounts.session.sessions)
    factor: str  # the second factor that this session has seen: APP, RECOVERY_CODE or TRUSTED_BROWSER, or "" for none
    shown_at: float  # when they last showed all that the account asks for, in seconds since the epoch
    handle: str  # the name of the session, which stays through all changes of its id; "" if nobody is signed in

    @property
    def at(self) -> int:
        """The time `shown_at` in whole seconds."""
        return int(self.shown_at)

    @property
    def has_code(self) -> bool:
        """Whether a code was entered in this session."""
        return self.factor in SHOWN_FACTORS


def read(request: HttpRequest) -> Arrival:
    """Returns how the owner of the request's session came in. Costs no statement."""
    session = request.session
    shown_at = session.get(AUTH_TIME, session.get(BEGAN, 0))
    return Arrival(session.get(WAY, ""), session.get(FACTOR, ""), shown_at, session.get(HANDLE, ""))


def note(request: HttpRequest, way: str = "", factor: str = "") -> None:
    """Notes that the owner has shown just now all that their account asks for.

    An empty `way` or `factor` was not shown anew: what the session knows of it stays. So a code that was entered here
    is not forgotten because a later proof asked for none.
    """
    session = request.session
    session[AUTH_TIME] = round(time.time(), 3)
    session[WAY] = way or session.get(WAY, "")
    session[FACTOR] = factor or session.get(FACTOR, "")


def note_factor(request: HttpRequest, factor: str) -> None:
    """Notes a second factor that was shown just now, by itself."""
    request.session[FACTOR] = factor
