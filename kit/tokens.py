"""Tokens: the id of a row, signed for one purpose, and the links that carry them.

Nothing else is in a token: address, expiry and state are in the row, so a token cannot be out of date. Tokens signed
with an old key stay valid while it is in SECRET_KEY_FALLBACKS.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from itsdangerous import BadData, URLSafeSerializer

MAX_LENGTH = 1000  # characters of a text in which a token is looked for; ours have 74

# One of our tokens: the id in JSON and a signature, both in URL-safe Base64, with no other letter of that alphabet
# beside it. Mail programs that read quoted-printable wrongly leave "3D" of the "=3D" before it.
TOKEN = re.compile(r"(?<![\w-])(?:3D)?([\w-]{46}\.[\w-]{27})(?![\w-])", re.ASCII)
# What wraps a long link: soft line breaks (RFC 2045 §6.7), white space and invisible characters.
WRAPPING = re.compile("=?[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


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
    """Returns the row id in `token`, which may have on it what mail programs and people leave (find()).

    Raises BadToken if we did not sign it for `purpose`, or if it is damaged.
    """
    token = find(token) or token
    if len(token) > MAX_LENGTH or not token.isascii():
        raise BadToken("not a token of ours")
    try:
        return UUID(_serializer(purpose).loads(token))
    except (BadData, ValueError, TypeError, AttributeError) as error:
        raise BadToken(str(error)) from error


def find(text: str) -> str:
    """Returns the first token in a text, whoever signed it and for whatever purpose, or "" if there is none.

    What cannot belong to a token is left out: the full stop, bracket or quotation mark after a link in a sentence,
    white space, even if it is percent-encoded twice, and the line breaks of a wrapped link.
    """
    if len(text) > MAX_LENGTH or "\0" in text:  # no mail program and no browser adds a NUL
        return ""
    plain = unquote(unquote(text))
    joined = WRAPPING.sub("", plain)
    # A browser drops the line break of a soft one and leaves its "=".
    found = TOKEN.search(plain) or TOKEN.search(joined) or TOKEN.search(joined.replace("=", ""))
    return found[1] if found else ""


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


def unsigned(purpose: Purpose, row_id: UUID) -> list[str]:
    """Returns what signed() makes the link of, for JSON. It holds no token, so it opens nothing to whoever reads it."""
    return [purpose.salt, purpose.page, row_id.hex]


def signed(unsigned: Sequence[str]) -> str:
    """Returns the link that unsigned() was asked for, as link() does."""
    salt, page, row_id = unsigned
    return link(Purpose(salt, page), UUID(row_id))


def path(purpose: Purpose, row_id: UUID) -> str:
    """Returns the path of the page of `purpose`, with a new token for the row in its query."""
    return f"{reverse(purpose.page)}?{urlencode({'token': sign(purpose, row_id)})}"


def _serializer(purpose: Purpose) -> URLSafeSerializer:
    # A salt for each purpose: the token of an invitation must never be valid as one that signs in.
    keys = [*settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY]  # itsdangerous signs with the last
    return URLSafeSerializer(keys, salt=purpose.salt)
