"""A refresh token is spent for new tokens, and for its successor.

All refresh tokens of a login begin with the same random text, their family, so one that was spent long ago is known,
too: whoever uses it has it from elsewhere, or has lost it to somebody, and all tokens of the login end (RFC 9700
§4.14.2). One that was spent just now works GRACE longer, for an answer may be lost, and an app may have two workers.
"""

import secrets
from datetime import timedelta
from typing import Any

from allauth.idp.oidc.models import Token
from django.db import transaction
from django.utils import timezone

from sso import engine
from sso.doors import Refused
from sso.models import Login
from sso.secret import digest
from sso.tokens import stored
from sso.tokens.client import Caller

GRANT = "refresh_token"
GRACE = timedelta(seconds=30)


def begin_family(login: Login, tokens: dict[str, Any]) -> None:
    """Begins the family of a login, with the refresh token that is among its first tokens. Saves nothing."""
    family = secrets.token_urlsafe(24)
    login.family = digest(family)
    tokens["refresh_token"] = f"{family}{stored.DOT}{tokens['refresh_token']}"


def spend(form: dict[str, str], caller: Caller) -> dict[str, Any]:
    """Returns new tokens for the refresh token in `form`. Raises Refused if there are none for it."""
    if not form.get("refresh_token"):
        raise Refused("invalid_request", "The field refresh_token is missing.")
    family, _dot, token = form["refresh_token"].partition(stored.DOT)
    wanted = form.get("scope", "").split()
    with transaction.atomic():
        login = Login.objects.filter(app=caller.app, family=digest(family)).lock()
        if login and not set(wanted) <= set(login.scopes):
            raise Refused("invalid_scope", "A refresh token gives no more scopes than the person has agreed to.")
        tokens = _spend(login, token, wanted, caller) if login and login.is_alive else None
    if tokens is None:
        raise Refused("invalid_grant", "The refresh token is unknown, spent or ended. Have the person sign in again.")
    return tokens | {"refresh_token": f"{family}{stored.DOT}{tokens['refresh_token']}"}


def _spend(login: Login, token: str, wanted: list[str], caller: Caller) -> dict[str, Any] | None:
    """Returns new tokens for one of a locked login that is alive; None, and ends the login, if it is spent."""
    is_former = login.former_refresh == digest(token)
    if is_former and not _has_grace(login):
        Login.objects.filter(pk=login.pk).end()
        return None
    if is_former:
        _revive(login, token, caller)
    asked = {"grant_type": GRANT, "refresh_token": token, "scope": " ".join(wanted or login.scopes), **caller.fields}
    answer = engine.make_tokens(login, caller.app.client, asked)
    if not answer.is_good:
        Login.objects.filter(pk=login.pk).end()
        return None
    tokens = answer.fields
    if is_former:
        login.twins = True
    else:
        _retire(login, token)
    stored.bind(login, tokens["access_token"], tokens["refresh_token"])
    if wanted:  # for this access token alone: the next one may have all again (RFC 6749 §6)
        rows = Token.objects.filter(type=stored.REFRESH, hash=digest(tokens["refresh_token"]))
        rows.update(scopes="\n".join(login.scopes))
    login.save(update_fields=["former_refresh", "refreshed_at", "twins"])
    return tokens


def _has_grace(login: Login) -> bool:
    return login.refreshed_at is not None and timezone.now() < login.refreshed_at + GRACE


def _revive(login: Login, token: str, caller: Caller) -> None:
    """Gives a spent token back to the engine, which then spends it again."""
    row = Token(type=stored.REFRESH, hash=digest(token), client=caller.app.client, user=login.person)
    row.set_scopes(login.scopes)
    row.save(force_insert=True)


def _retire(login: Login, token: str) -> None:
    """Notes that a token is the one that was spent last, and ends others that were given out in its place."""
    if login.twins:
        Token.objects.filter(type=stored.REFRESH, bound__login=login).delete()
    login.former_refresh, login.refreshed_at, login.twins = digest(token), timezone.now(), False
