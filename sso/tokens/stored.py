"""Tokens as they are stored, as hashes, each tied to the login on which its worth hangs."""

from allauth.idp.oidc.models import Token

from sso.models import Bound, Login
from sso.models.login import LoginQuerySet
from sso.secret import digest

ACCESS, REFRESH = Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN
# In the text of a refresh token, between what all of its login have in common and what the engine has made.
DOT = "."


def bind(login: Login, *tokens: str) -> None:
    """Ties new tokens of the engine to a login."""
    rows = Token.objects.filter(type__in=[ACCESS, REFRESH], hash__in=[digest(token) for token in tokens])
    Bound.objects.bulk_create(Bound(token_id=pk, login=login) for pk in rows.values_list("pk", flat=True))


def drop(token: str) -> None:
    """Deletes a refresh token of the engine that nobody will get."""
    Token.objects.filter(type=REFRESH, hash=digest(token)).delete()


def logins_by(value: str) -> LoginQuerySet:
    """Returns the login of the access or refresh token with this text, alive or not; none if there is no such token.

    It comes with its person and with facts of the token, as LoginQuerySet.by_token() says.
    """
    family, dot, inner = value.partition(DOT)
    return Login.objects.by_token(REFRESH, digest(inner)) if dot else Login.objects.by_token(ACCESS, digest(family))
