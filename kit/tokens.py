"""Tokens: the id of a row, signed for one purpose, and the links that carry them.

Nothing else is in a token. Address, expiry and what has become of it are in the row, so a token cannot be out of date.
Old keys go on working from SECRET_KEY_FALLBACKS.
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
    """What a token may open: its salt, so that it passes for nothing else, and the URL name of its page."""

    salt: str
    page: str


class BadToken(Exception):
    """Not signed by us, or for another purpose, or not whole."""


def sign(purpose: Purpose, row_id: UUID) -> str:
    return str(_serializer(purpose).dumps(row_id.hex))


def load(purpose: Purpose, token: str) -> UUID:
    """The id in a token that we signed for this purpose. Raises BadToken."""
    if len(token) > MAX_LENGTH or not token.isascii():
        raise BadToken("not a token of ours")
    try:
        return UUID(_serializer(purpose).loads(token))
    except (BadData, ValueError, TypeError, AttributeError) as error:
        raise BadToken(str(error)) from error


def fits(purpose: Purpose, token: str) -> bool:
    """Whether we signed a token for this purpose."""
    try:
        load(purpose, token)
    except BadToken:
        return False
    return True


def link(purpose: Purpose, row_id: UUID) -> str:
    """The address that a mail carries, built from SITE_URL and never from a request."""
    return settings.SITE_URL + path(purpose, row_id)


def path(purpose: Purpose, row_id: UUID) -> str:
    """The page of this site that a new token opens."""
    return f"{reverse(purpose.page)}?{urlencode({'token': sign(purpose, row_id)})}"


def _serializer(purpose: Purpose) -> URLSafeSerializer:
    # A salt per purpose: a link that invites somebody must never pass as one that signs somebody in.
    keys = [*settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY]  # itsdangerous signs with the last
    return URLSafeSerializer(keys, salt=purpose.salt)
