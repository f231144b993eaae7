"""The ID token that an app sends along to say whom it means (id_token_hint)."""

from typing import Any

import jwt
from django.conf import settings
from jwt.types import Options

from sso import keys

# It may have expired long ago: it only says who was meant (RP-Initiated Logout §2). Whose it is, the caller asks.
UNASKED: Options = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}


def read(token: str, client_id: str = "") -> dict[str, Any]:
    """Returns the claims of an ID token that we have signed, however old; {} for any other.

    With a `client_id`, it must have been made for that app. A token whose key is published no more is any other.
    """
    if not token:
        return {}
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = next((key for key in keys.published() if key.kid == kid), None)
        if key is None:
            return {}
        verifier = jwt.PyJWK(key.public)
        claims: dict[str, Any] = jwt.decode(
            token, verifier, algorithms=[keys.ALGORITHM], issuer=settings.SITE_URL, options=UNASKED
        )
    except (jwt.PyJWTError, ValueError):  # ValueError: bytes that are no text
        return {}
    return claims if client_id in {"", claims.get("aud")} else {}
