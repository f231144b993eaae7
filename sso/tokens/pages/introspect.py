"""The introspection endpoint: what a token is worth now (RFC 7662)."""

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from sso.doors import Refused, answer, door
from sso.tokens import client, stored

if TYPE_CHECKING:
    from datetime import datetime


@door("POST")
def introspect(request: HttpRequest) -> HttpResponse:
    """Tells an app with a secret about a token of its own; every other token is inactive, whatever else it is."""
    caller = client.authenticate(request, public=False)
    if not request.POST.get("token"):
        raise Refused("invalid_request", "The field token is missing.")
    login = stored.logins_by(request.POST["token"]).alive().filter(app=caller.app).first()
    if login is None:
        return answer({"active": False})
    facts: dict[str, Any] = {
        "active": True,
        "iss": settings.SITE_URL,
        "sub": login.sub,
        "client_id": login.app_id,
        "scope": " ".join(login.token_scopes.split()),
        "iat": int(login.token_made.timestamp()),
    }
    if login.token_type == stored.ACCESS:
        facts |= {"token_type": "Bearer", "exp": int(cast("datetime", login.token_ends).timestamp())}
    return answer(facts)
