"""What we tell the engine: the issuer, the claims of people, the keys, and which person a code or token is for."""

from collections.abc import Iterable
from typing import Any, Literal

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings

from accounts.models import User
from sso import claims, keys, secret
from sso.models import Login


class Adapter(DefaultOIDCAdapter):
    """The engine's adapter. Where tokens are asked for, `request.app_login` is the login they are for (sso.engine)."""

    def generate_client_id(self) -> str:
        """Returns an id of letters and digits alone, which every client encodes alike."""
        return secret.new_id()

    def generate_client_secret(self) -> str:
        """Returns a secret of letters and digits alone, which every client encodes alike."""
        return secret.new_secret()

    def get_issuer(self) -> str:
        """Returns the public address of the site, whatever host a request names."""
        return str(settings.SITE_URL)

    def list_private_keys(
        self, *, did_activate: Literal[True] | None = None, is_active: Literal[True] | None = None
    ) -> list[PrivateKey]:
        """Returns the published keys; with `did_activate` only those that sign already."""
        found = [keys.signing()] if did_activate else keys.published()
        return [PrivateKey(pem=key.pem, not_before=key.signs_from, expires_at=key.ends_at) for key in found]

    def get_signing_key(self) -> PrivateKey:
        """Returns the key that signs now."""
        return PrivateKey(pem=keys.signing().pem)

    def get_user_sub(self, client: Client, user: User) -> str:
        """Returns the id that forward-auth sends, too."""
        return str(user.pk)

    def get_user_by_sub(self, client: Client, sub: str) -> User | None:
        """Returns the person of the login that a token is asked for; nobody else's code is ever looked up."""
        login: Login = self.request.app_login
        return login.person if login.sub == sub else None

    def get_claims(
        self,
        purpose: Literal["id_token", "userinfo"],
        user: User,
        client: Client,
        scopes: Iterable[str],
        email: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Returns what these scopes tell of the person."""
        return claims.of(user, client.pk, scopes)

    def populate_id_token(self, id_token: dict[str, Any], client: Client, scopes: Iterable[str], **kwargs: Any) -> None:
        """Adds when and how the person signed in, and the name of their session for this app; at a refresh the same."""
        login: Login = self.request.app_login
        id_token |= {"auth_time": int(login.auth_time.timestamp()), "sid": login.sid, "acr": login.acr}
        if login.amr:
            id_token["amr"] = login.amr
