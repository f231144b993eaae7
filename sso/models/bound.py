"""Which login each token of the engine hangs on."""

from allauth.idp.oidc.models import Token
from django.db import models

from sso.models.login import Login


class Bound(models.Model):
    """Ties a token of the engine to the login that it belongs to: it is worth what the login is worth."""

    token = models.OneToOneField(Token, models.CASCADE, primary_key=True, related_name="bound")
    login = models.ForeignKey(Login, models.CASCADE, related_name="bound")

    def __str__(self) -> str:
        return f"{self.token_id} of {self.login_id}"


def expired_tokens() -> models.QuerySet[Token]:
    """Returns the tokens to prune: those that are over. What is bound to them goes along."""
    return Token.objects.expired()
