"""Codes: what an app is given for somebody who comes from us, to be spent for tokens within a minute, once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import User
from accounts.session import arrival
from kit.one_statement import OneStatement
from sso import engine
from sso.models import App, Login
from sso.models.app import OFFLINE
from sso.secret import digest


@dataclass(frozen=True)
class Asked:
    """A request for a code in which everything has been checked: what the app may have, and where the answer goes."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]  # only those that the app may have
    state: str = ""
    nonce: str = ""
    code_challenge: str = ""  # always by S256; "" only for an app without PKCE


def issue(request: HttpRequest, app: App, asked: Asked, *also: Model) -> str:
    """Makes a code for the signed-in person of `request`, and returns the address of the app that takes it along.

    With the code begins a login: it says who it is for, from which session, and what the engine must know when the code
    is spent. The code itself is kept as a hash. The rows `also` are stored by the same statement.
    """
    user: User = request.user  # type: ignore[assignment]
    came = arrival.read(request)
    query = {
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect_uri,
        "response_type": "code",
        "scope": " ".join(asked.scopes),
        "nonce": asked.nonce,
        "code_challenge": asked.code_challenge,
        "code_challenge_method": "S256" if asked.code_challenge else "",
    }
    code, data = engine.make_code(user, app.client, {name: value for name, value in query.items() if value})
    login = Login(
        app=app,
        person=user,
        sid=Login.sid_of(came.handle, asked.client_id),
        handle=came.handle,
        epoch=user.session_epoch,
        way=came.way,
        factor=came.factor,
        auth_time=datetime.fromtimestamp(came.at, UTC),
        scopes=list(asked.scopes),
        offline=app.offline and OFFLINE in asked.scopes,
        code_hash=digest(code),
        code=data,
    )
    OneStatement().insert(login, *also).execute()
    return answer(asked.redirect_uri, code=code, state=asked.state)


def answer(redirect_uri: str, **fields: str) -> str:
    """Returns the address of an app with these fields of an answer, and with who answers (RFC 9207)."""
    given = {name: value for name, value in fields.items() if value} | {"iss": settings.SITE_URL}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(given)}"
