"""A code is spent for tokens: once, within a minute, by the app that it was made for and that knows its verifier."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from sso import engine
from sso.doors import Refused
from sso.models import Login
from sso.models.login import CODE_LASTS
from sso.secret import digest
from sso.tokens import refresh, stored
from sso.tokens.client import Caller

GRANT = "authorization_code"


def spend(form: dict[str, str], caller: Caller) -> dict[str, Any]:
    """Returns the tokens for the code in `form`. Raises Refused if there are none for it.

    A second use of a code ends all that the first one gave: somebody else has it, too (RFC 6749 §4.1.2). The code of
    another app is not found, and stays as it is.
    """
    if not form.get("code"):
        raise Refused("invalid_request", "The field code is missing.")
    with transaction.atomic():
        login = Login.objects.filter(app=caller.app, code_hash=digest(form["code"])).lock()
        tokens = _spend(login, form, caller) if login else None
    if tokens is None:
        raise Refused(
            "invalid_grant",
            "The code is unknown, spent or too old, or redirect_uri or code_verifier do not fit it. Ask for a new one.",
        )
    return tokens


def _spend(login: Login, form: dict[str, str], caller: Caller) -> dict[str, Any] | None:
    """Returns the tokens for the code of a locked login, None if it has none. What was tried is spent in any case."""
    now = timezone.now()
    if login.used_at:
        Login.objects.filter(pk=login.pk).end()
        return None
    login.used_at = now
    fits = login.is_alive and now < login.made_at + CODE_LASTS and _fits(login, form)
    tokens = _exchange(login, form, caller) if fits else None
    login.code = {}
    login.save(update_fields=["used_at", "code", "family"])
    return tokens


def _fits(login: Login, form: dict[str, str]) -> bool:
    """Returns whether the form names the same address, and brings a verifier if there was a challenge, and only then.

    A verifier without a challenge is how a stolen code is smuggled into an app that would notice (RFC 9700 §4.8.2).
    """
    has_verifier = bool(form.get("code_verifier"))
    return form.get("redirect_uri") == login.code["redirect_uri"] and has_verifier == ("pkce" in login.code)


def _exchange(login: Login, form: dict[str, str], caller: Caller) -> dict[str, Any] | None:
    asked = {
        "grant_type": GRANT,
        "code": form["code"],
        "redirect_uri": form["redirect_uri"],
        **caller.fields,
    }
    if form.get("code_verifier"):
        asked["code_verifier"] = form["code_verifier"]
    answer = engine.make_tokens(login, caller.app.client, asked, login.code)
    if not answer.is_good:
        return None
    tokens = answer.fields
    if caller.may(refresh.GRANT):
        stored.bind(login, tokens["access_token"], tokens["refresh_token"])
        refresh.begin_family(login, tokens)
    else:
        stored.drop(tokens.pop("refresh_token"))
        stored.bind(login, tokens["access_token"])
    return tokens
