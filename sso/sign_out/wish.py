"""What an app asks for when somebody has signed out of it (OpenID Connect RP-Initiated Logout §2)."""

from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict

from kit.onward import NO_PLACES
from sso import hint
from sso.authorize.asked import LONGEST, once
from sso.models import App

HEEDED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
LONGEST_HINT = 4000  # characters of an ID token


class Wish(NamedTuple):
    """Which app sends somebody, and where it wants them afterwards."""

    app: App | None  # None if it does not say, or contradicts itself
    there: str  # the address to which they are led afterwards, "" for a page of ours
    is_refused: bool  # whether the app has named an address that is none of those it has registered
    query: str  # all of it, to be asked again


def read(query: QueryDict) -> Wish:
    """Returns what the query asks for. Raises Unreadable if a parameter is given twice."""
    sent = once(query, HEEDED)
    app, there = find_app(sent), sent.get("post_logout_redirect_uri", "")
    is_its_own = app is not None and there in app.allowed_post_logout_uris and there.partition(":")[0] not in NO_PLACES
    return Wish(
        app,
        with_state(there, sent.get("state", "")) if is_its_own else "",
        bool(there) and not is_its_own,
        urlencode(sent),
    )


def find_app(sent: dict[str, str]) -> App | None:
    """Returns the app by its id or the ID token that it brings, however old; None if they differ or are unknown."""
    claims = hint.read(sent.get("id_token_hint", "")[:LONGEST_HINT])
    named = {str(name) for name in (sent.get("client_id"), claims.get("aud")) if name}
    return App.objects.select_related("client").by_id(named.pop()).first() if len(named) == 1 else None


def with_state(there: str, state: str) -> str:
    """Returns the address with the state, unless that is one that can't go back."""
    if not state or len(state) > LONGEST or not state.isprintable():
        return there
    return f"{there}{'&' if '?' in there else '?'}{urlencode({'state': state})}"
