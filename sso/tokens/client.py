"""Which app asks, and whether it is that app: by HTTP Basic, by fields of the form, or, for a public one, by its id."""

import base64
import binascii
from typing import NamedTuple
from urllib.parse import unquote_plus

from django.http import HttpRequest

from sso import limits, went_wrong
from sso.doors import Refused
from sso.models import App


class Given(NamedTuple):
    """What a request says of its app."""

    client_id: str
    secret: str


class Caller(NamedTuple):
    """The app that asks, which has shown its secret, if it has one."""

    app: App
    secret: str

    @property
    def fields(self) -> dict[str, str]:
        """Who asks, as the engine reads it."""
        return {"client_id": self.app.pk} | ({"client_secret": self.secret} if self.secret else {})

    def may(self, grant: str) -> bool:
        """Returns whether the app may ask for tokens in this way."""
        return grant in self.app.client.get_grant_types()


def authenticate(request: HttpRequest, *, public: bool = True) -> Caller:
    """Returns the app that sent the request, with its client; a public app only if `public` says so.

    Raises Refused for an unknown app, a wrong secret, or two ways at once, and Limited for many wrong ones.
    """
    given = _given(request)
    app = App.objects.select_related("client").by_id(given.client_id).first()
    if app and _is_proven(app, given.secret, public=public):
        return Caller(app, given.secret)
    limits.count_wrong(request, given.client_id)
    if app:
        went_wrong.note(app.pk, "the client secret is wrong")
    raise Refused(
        "invalid_client",
        "The client id or the secret is wrong, or this app may not ask here. Compare both with what the desk shows.",
        401,
        WWW_Authenticate='Basic realm="apps", charset="UTF-8"',
    )


def _is_proven(app: App, secret: str, *, public: bool) -> bool:
    if app.is_public:
        return public and not secret
    return bool(secret) and bool(app.client.check_secret(secret))


def _given(request: HttpRequest) -> Given:
    posted = Given(request.POST.get("client_id", ""), request.POST.get("client_secret", ""))
    basic = _basic(request.headers.get("Authorization", ""))
    if basic is None:
        return posted
    if posted.secret or posted.client_id not in {"", basic.client_id}:
        raise Refused("invalid_request", "Send the client id and secret in one way: by HTTP Basic or in the form.")
    return basic


def _basic(header: str) -> Given | None:
    """Returns what an Authorization header of the scheme Basic holds, two empty texts if it is broken; else None.

    Some clients encode both parts as forms do (RFC 6749 §2.3.1), others don't; ours hold no "%", so both are read.
    """
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return Given("", "")
    return Given(*(unquote_plus(part) if "%" in part else part for part in (client_id, secret)))
