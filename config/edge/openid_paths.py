"""Paths of OpenID Connect for which the edge has rules of its own; the room sso/ has their views."""

AUTHORIZE = "/identity/o/authorize"  # where apps send browsers
LOGOUT = "/identity/o/logout"  # likewise, after people have signed out of an app
DOORS = "/identity/o/api/"  # what apps ask themselves is below: tokens, userinfo …
DOCUMENTS = frozenset(  # what apps read before they ask
    f"/.well-known/{name}" for name in ("openid-configuration", "oauth-authorization-server", "jwks.json")
)
