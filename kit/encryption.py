"""Secrets that must be read again, and so cannot be hashed: encrypted in the database.

The first key encrypts, all of them decrypt; `rotate_secrets` (a command) moves everything to the first. The keys are
apart from SECRET_KEY where ENCRYPTION_KEY is set, so that each can be changed without the other.
"""

import base64
import logging
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

log = logging.getLogger("frontdoor.mail")


class Unreadable(Exception):
    """None of the keys that there are has encrypted it."""


def encrypt(text: str) -> str:
    return _keys(*settings.ENCRYPTION_KEYS).encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Raises Unreadable, and logs it: a key was thrown away too early."""
    try:
        return _keys(*settings.ENCRYPTION_KEYS).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        log.error(  # noqa: TRY400 the traceback says nothing more
            "a secret cannot be read: the key that encrypted it is not in ENCRYPTION_KEY_FALLBACKS"
        )
        raise Unreadable from None


def renew(encrypted: str) -> str:
    """The same, encrypted with the first key. Raises Unreadable."""
    return encrypt(decrypt(encrypted))


@lru_cache(maxsize=4)  # of one set of keys, but for tests
def _keys(*keys: str) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    """A Fernet key from any long text (HKDF, RFC 5869); the text may be SECRET_KEY, which signs other things."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"frontdoor.encryption").derive(key.encode())
    return base64.urlsafe_b64encode(derived)
