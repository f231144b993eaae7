"""The userinfo endpoint: who the person is for whom an app has an access token (OpenID Connect Core §5.3)."""

from django.http import HttpRequest, HttpResponse

from sso import claims
from sso.doors import Refused, answer, door
from sso.tokens import stored


@door("GET", "POST")
def userinfo(request: HttpRequest) -> HttpResponse:
    """Answers with the claims that the scopes of the access token give. The token comes in the header alone."""
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise Refused(
            "invalid_request",
            "Send the access token in the header Authorization: Bearer.",
            401,
            WWW_Authenticate="Bearer",
        )
    login = stored.logins_by(value.strip()).alive().first()
    if login is None or login.token_type != stored.ACCESS:
        raise Refused(
            "invalid_token",
            "The access token is unknown or ended. Use the refresh token, or have the person sign in again.",
            401,
            WWW_Authenticate='Bearer error="invalid_token"',
        )
    return answer(claims.of(login.person, login.app_id, login.token_scopes.split()))
