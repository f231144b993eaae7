"""Tokens as they are stored, as hashes, each tied to the login on which its worth hangs."""

from allauth.idp.oidc.models import Token
from django.db.models import F, Q
from django.utils import timezone

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

    It comes with its person, and with the `token_type`, `token_scopes`, `token_made` and `token_ends` of the token.
    """
    family, dot, inner = value.partition(DOT)
    kind, hashed = (REFRESH, digest(inner)) if dot else (ACCESS, digest(family))
    valid = Q(bound__token__expires_at=None) | Q(bound__token__expires_at__gt=timezone.now())
    rows = Login.objects.filter(valid, bound__token__type=kind, bound__token__hash=hashed)
    return rows.select_related("person").annotate(
        token_type=F("bound__token__type"),
        token_scopes=F("bound__token__scopes"),
        token_made=F("bound__token__created_at"),
        token_ends=F("bound__token__expires_at"),
    )
