"""Tokens: the id of a row, signed for one purpose, and the links that carry them.

Nothing else is in a token: address, expiry and state are in the row, so a token cannot be out of date. Tokens signed
with an old key stay valid while it is in SECRET_KEY_FALLBACKS.
"""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from itsdangerous import BadData, URLSafeSerializer

MAX_LENGTH = 200  # characters; ours have about 80


@dataclass(frozen=True)
class Purpose:
    """The purpose of a token: what it may open.

    `salt` goes into the signature, so that a token for one purpose is invalid for another; `page` is the URL name of
    the page that the token opens.
    """

    salt: str
    page: str


class BadToken(Exception):
    """The token was not signed by us or not for this purpose, or it is damaged."""


def sign(purpose: Purpose, row_id: UUID) -> str:
    """Returns a token for the row with this id, signed for `purpose`."""
    return str(_serializer(purpose).dumps(row_id.hex))


def load(purpose: Purpose, token: str) -> UUID:
    """Returns the row id in `token`. Raises BadToken if we did not sign it for `purpose`, or if it is damaged."""
    if len(token) > MAX_LENGTH or not token.isascii():
        raise BadToken("not a token of ours")
    try:
        return UUID(_serializer(purpose).loads(token))
    except (BadData, ValueError, TypeError, AttributeError) as error:
        raise BadToken(str(error)) from error


def fits(purpose: Purpose, token: str) -> bool:
    """Returns whether we signed this token for `purpose`."""
    try:
        load(purpose, token)
    except BadToken:
        return False
    return True


def link(purpose: Purpose, row_id: UUID) -> str:
    """Returns the absolute URL of the page of `purpose`, with a new token for the row, for mails.

    It is built from SITE_URL and never from a request, whose Host header a stranger may choose.
    """
    return settings.SITE_URL + path(purpose, row_id)


def path(purpose: Purpose, row_id: UUID) -> str:
    """Returns the path of the page of `purpose`, with a new token for the row in its query."""
    return f"{reverse(purpose.page)}?{urlencode({'token': sign(purpose, row_id)})}"


def _serializer(purpose: Purpose) -> URLSafeSerializer:
    # A salt for each purpose: the token of an invitation must never be valid as one that signs in.
    keys = [*settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY]  # itsdangerous signs with the last
    return URLSafeSerializer(keys, salt=purpose.salt)
