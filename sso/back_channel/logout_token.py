"""The signed statement by which an app learns that a session has ended (OpenID Connect Back-Channel Logout §2.4)."""

import secrets
import time
from datetime import timedelta

from django.conf import settings

from sso import keys
from sso.models import LogoutCall

LASTS = timedelta(minutes=2)
TYPE = "logout+jwt"  # so that nothing takes it for an ID token, nor an ID token for it
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def mint(call: LogoutCall) -> str:
    """Returns a new logout token for one try of a call. It never holds a `nonce`, which would make it an ID token."""
    now = int(time.time())
    claims = {
        "iss": settings.SITE_URL,
        "aud": call.client_id,
        "iat": now,
        "exp": now + int(LASTS.total_seconds()),
        "jti": secrets.token_hex(16),
        "sub": call.sub,
        "sid": call.sid,
        "events": {EVENT: {}},
    }
    return keys.sign(claims, typ=TYPE)
