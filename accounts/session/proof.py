"""Proof again: whether somebody who is signed in has lately shown that they are the owner, with every factor.

Every door that gives power away asks here: account pages, JSON doors, and the desk.
"""

from typing import NamedTuple, cast

from django.http import HttpRequest

from accounts.models import User
from accounts.session import sessions
from accounts.session.notes import PROVEN, SIGNED_IN


class Missing(NamedTuple):
    """What somebody has not shown within 15 minutes, and must show before the door opens."""

    first: bool  # the password, or a mailed link
    code: bool  # a code, where two-step verification is on


def missing(request: HttpRequest, *, sign_in_counts: bool = True) -> Missing:
    """Returns what the person who is signed in has not shown within 15 minutes, at sign-in or since.

    Without `sign_in_counts` a sign-in does not count, unless it was by a mailed link: what could take the account from
    its owner is not done at a browser that was left open a minute ago, nor by a password that the browser has filled
    in.
    """
    shown = [PROVEN.read(request)] + ([SIGNED_IN.read(request)] if sign_in_counts else [])
    has_code = any(note.get("code") for note in shown)
    return Missing(not any(shown), not has_code and cast("User", request.user).second_factor.is_on)


def everything(request: HttpRequest, *, google_counts: bool = False) -> Missing:
    """Returns that every factor which the person has is missing, whatever they have shown lately.

    Only where a code is still to be entered, a first factor counts that was shown within 15 minutes, such as a mailed
    link; with `google_counts` a sign-in with Google, too.
    """
    has_second = cast("User", request.user).second_factor.is_on
    by_google = google_counts and SIGNED_IN.read(request).get("way") == sessions.GOOGLE
    shown = by_google or bool(PROVEN.read(request))
    return Missing(first=not (has_second and shown), code=has_second)


def give(request: HttpRequest, way: str = "", *, all_factors: bool = True) -> None:
    """Notes that the person has just shown who they are: for 15 minutes no door asks for it again.

    `way` is the first factor that they have shown now (accounts.session.sessions), "" for one that they had shown
    before. With `all_factors` they have shown all that the account has: no door asks for a code either, and the session
    gets a new id and ends twelve hours from now. Raises Superseded if it has ended meanwhile.
    """
    way = way or (PROVEN.read(request) or SIGNED_IN.read(request)).get("way", "")
    if all_factors:
        request.session.take_new_key()  # type: ignore[attr-defined]
        sessions.begin_anew(request, cast("User", request.user), way)
    sessions.keep_factors(PROVEN, request, code=all_factors, way=way)
