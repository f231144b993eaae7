"""Encryption for secrets that must be read again, and so cannot be stored as hashes.

The first of ENCRYPTION_KEYS encrypts, and all of them decrypt; the command `rotate_secrets` encrypts everything with
the first again. Where ENCRYPTION_KEY is set, the keys are independent of SECRET_KEY, so that each can be changed
without the other.
"""

import base64
import logging
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

log = logging.getLogger("frontdoor.encryption")


class Unreadable(Exception):
    """None of ENCRYPTION_KEYS decrypts the text: it was encrypted with another key, or damaged."""


def encrypt(text: str) -> str:
    """Returns `text` encrypted with the first of ENCRYPTION_KEYS, in printable ASCII (a Fernet token)."""
    return _keys(*settings.ENCRYPTION_KEYS).encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Returns the text that encrypt() was given.

    Raises Unreadable, and logs an error, if none of ENCRYPTION_KEYS decrypts it: its key was probably removed before
    the command `rotate_secrets` ran.
    """
    try:
        return _keys(*settings.ENCRYPTION_KEYS).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        log.error(  # noqa: TRY400 the traceback says nothing more
            "a secret cannot be read: the key that encrypted it is not in ENCRYPTION_KEY_FALLBACKS"
        )
        raise Unreadable from None


def renew(encrypted: str) -> str:
    """Returns the secret encrypted again, with the first of ENCRYPTION_KEYS.

    Raises Unreadable, and logs an error, if none of the keys decrypts `encrypted`.
    """
    return encrypt(decrypt(encrypted))


@lru_cache(maxsize=4)  # one set of keys is in use; tests have a few
def _keys(*keys: str) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    """Returns a Fernet key derived from any long text (HKDF, RFC 5869).

    The text may be SECRET_KEY, which also signs other things, so it is never used as a key itself.
    """
    derived = HKDF(SHA256(), length=32, salt=None, info=b"frontdoor.encryption").derive(key.encode())
    return base64.urlsafe_b64encode(derived)
