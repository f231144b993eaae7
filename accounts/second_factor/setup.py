"""Setting up an authenticator app: its secret counts only once the app has shown a code."""

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from allauth.mfa.adapter import get_adapter

from accounts.models import User
from accounts.models.second_factor import new_secret
from accounts.second_factor import shown_codes
from accounts.session import arrival, sessions
from accounts.session.account_page import PersonRequest
from accounts.session.notes import APP_SETUP
from kit import encryption


class Secret(NamedTuple):
    """The secret that a new authenticator app is to share with this site."""

    key: str  # base32
    ends_at: datetime
    is_new: bool  # made in this request: nobody has seen it before


def secret(request: PersonRequest) -> Secret:
    """Returns the secret of the setup that is under way in this session; makes and notes one if there is none.

    It stays the same until it expires, 15 minutes after it was made: a reload must show the QR code that the user has
    already scanned. Once all sessions of the account have ended, another is made: whoever shared this one until then
    may have seen the old secret.
    """
    note, epoch = APP_SETUP.read(request), request.person.session_epoch
    with suppress(encryption.Unreadable):  # the key of this site that encrypted it is gone
        if note and note["epoch"] == epoch:
            return Secret(encryption.decrypt(note["secret"]), ends_at(note), is_new=False)
    made = new_secret()
    # Encrypted: sessions lie in Redis and PostgreSQL, where anyone with access can read them.
    APP_SETUP.keep(request, secret=encryption.encrypt(made), epoch=epoch)
    return Secret(made, ends_at(APP_SETUP.read(request)), is_new=True)


def ends_at(note: dict[str, Any]) -> datetime:
    """Returns when the secret in a note of APP_SETUP expires."""
    return datetime.fromtimestamp(note["until"], UTC)


def finish(request: PersonRequest, key: str, code: str, *, replaces: bool = False) -> None:
    """Turns on the app that has the secret `key` (base32) and has shown `code`. Every other session of the user ends.

    `replaces` says that the app replaces another; without it nothing is set up if there is an app by now. This session
    goes on under a new id, and may show the new recovery codes. Raises Superseded if all sessions of the account have
    ended since the request began.
    """
    request.person.second_factor.turn_on(key, code, replaces=replaces, **request.trace)
    APP_SETUP.drop(request)
    sessions.restart(request, request.person)
    arrival.note_factor(request, arrival.APP)  # its code was shown just now
    shown_codes.show(request)


def address(user: User, key: str) -> str:
    """Returns the otpauth: link by which an app reads the secret `key` (base32); it names the site and the user."""
    return str(get_adapter().build_totp_url(user, key))


def ways(user: User, key: str) -> dict[str, Any]:
    """Returns three ways in which an app can read the secret `key` (base32).

    "picture" is a QR code to scan, as a data: URL; "url" a link to press on the phone itself; "key" text to type, in
    groups of four.
    """
    url = address(user, key)
    picture = b64encode(get_adapter().build_totp_svg(url).encode()).decode()
    groups = " ".join(key[start : start + 4] for start in range(0, len(key), 4))
    return {"picture": f"data:image/svg+xml;base64,{picture}", "url": url, "key": groups}
