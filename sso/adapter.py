"""What we tell the engine: the issuer, the claims of people, the keys, and which tokens are still worth something."""

from allauth.idp.oidc.adapter import DefaultOIDCAdapter


class Adapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """The engine's adapter, filled in by the modules of this room."""
