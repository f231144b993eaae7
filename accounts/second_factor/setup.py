"""Setting up an authenticator app: the secret that it and we will share, until it has shown a code."""

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from allauth.mfa.adapter import get_adapter
from django.utils import timezone

from accounts.models import User
from accounts.models.second_factor import new_secret
from accounts.second_factor import shown_codes
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from accounts.session.notes import APP_SETUP
from kit import encryption


class Secret(NamedTuple):
    """What an authenticator app is to share with us."""

    key: str  # base32
    ends_at: datetime
    is_new: bool  # nobody has seen it before this request


def secret(request: PersonRequest) -> Secret:
    """The same for as long as the note of it lasts: whoever reloads the page has scanned it already.

    Another one once all sessions have ended: whoever shared this one until then may have seen it.
    """
    note, epoch = APP_SETUP.read(request), request.person.session_epoch
    with suppress(encryption.Unreadable):  # another key since
        if note and note["epoch"] == epoch:
            return Secret(encryption.decrypt(note["secret"]), datetime.fromtimestamp(note["until"], UTC), is_new=False)
    made = new_secret()
    # Encrypted: sessions lie in Redis and PostgreSQL as anybody there can read them.
    APP_SETUP.keep(request, secret=encryption.encrypt(made), epoch=epoch)
    return Secret(made, timezone.now() + APP_SETUP.lifetime, is_new=True)


def finish(request: PersonRequest, key: str, code: str, *, anew: bool = False) -> None:
    """Turns it on with a code that the app has shown; this session alone goes on. Raises Superseded."""
    request.person.second_factor.turn_on(key, code, anew=anew, **request.trace)
    APP_SETUP.drop(request)
    sessions.keep(request, request.person)
    shown_codes.show(request)


def address(user: User, key: str) -> str:
    """The otpauth: link that apps read."""
    return str(get_adapter().build_totp_url(user, key))


def ways(user: User, key: str) -> dict[str, Any]:
    """How an app can take over a key: a picture to scan, a link to press on the phone itself, and text to type."""
    url = address(user, key)
    picture = b64encode(get_adapter().build_totp_svg(url).encode()).decode()
    groups = " ".join(key[start : start + 4] for start in range(0, len(key), 4))
    return {"picture": f"data:image/svg+xml;base64,{picture}", "url": url, "key": groups}
