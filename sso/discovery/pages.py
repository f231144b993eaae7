"""Discovery and public keys: what apps read to find all else (OpenID Connect Discovery, RFC 8414, RFC 7517)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from sso import keys, limits
from sso.doors import door
from sso.models.app import OFFLINE, SCOPES

KEPT = 300  # seconds, by apps: much less than a new key waits before it signs (keys.SIGNS_AFTER)
LEVELS = ("one-factor", "two-factors")  # of `acr`


@door("GET", kept=KEPT)
def discovery(request: HttpRequest) -> HttpResponse:
    """Answers with what this site promises to apps, with addresses under SITE_URL, whatever host a request names."""
    at = f"{settings.SITE_URL}/identity/o"
    promises = {
        "issuer": settings.SITE_URL,
        "authorization_endpoint": f"{at}/authorize",
        "token_endpoint": f"{at}/api/token",
        "userinfo_endpoint": f"{at}/api/userinfo",
        "jwks_uri": f"{settings.SITE_URL}/.well-known/jwks.json",
        "introspection_endpoint": f"{at}/api/introspect",
        "revocation_endpoint": f"{at}/api/revoke",
        "end_session_endpoint": f"{at}/logout",
        "scopes_supported": [*SCOPES, OFFLINE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [keys.ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "claims_supported": [
            *("iss", "sub", "aud", "exp", "iat", "jti", "nonce", "at_hash", "auth_time", "sid", "acr", "amr"),
            *("name", "preferred_username", "email", "email_verified", "groups"),
        ],
        "acr_values_supported": [f"{settings.SITE_URL}/acr/{level}" for level in LEVELS],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    return _tell(request, promises)


@door("GET", kept=KEPT)
def jwks(request: HttpRequest) -> HttpResponse:
    """Answers with the public keys that sign now, soon, or have signed what may still be shown."""
    return _tell(request, keys.public_jwks())


def _tell(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    """Answers anybody, also a script on any site, within the limit of their network."""
    limits.DISCOVERY_PER_NETWORK.check_network(request)
    return JsonResponse(fields, headers={"Access-Control-Allow-Origin": "*"})
