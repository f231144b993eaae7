"""The keys that sign what apps are told: making, loading, publishing and rotating them.

The site makes its first key by itself, when it first signs. A new key is published an hour before it signs, so that
apps have it by then; the one before stays published until all that it has signed is over, and a day longer. Each
process looks for keys every few seconds, so none needs a restart. A key that ENCRYPTION_KEYS can't decrypt is left out;
if there is no other, the site makes a new one, and apps go on.
"""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from kit import encryption
from sso.models import SigningKey

ALGORITHM = "RS256"
BITS = 2048  # of a key
LOOK_EVERY = 5  # seconds
SIGNS_AFTER = timedelta(hours=1)  # of a new key: longer than apps keep the published set (discovery.pages)
STAYS = timedelta(days=1)  # published, after all that it signed is over


@dataclass(frozen=True)
class Key:
    """A key that is published: it signs from `signs_from` on, and leaves the published set at `ends_at`, if ever."""

    pem: str
    signs_from: datetime
    ends_at: datetime | None

    @property
    def public(self) -> dict[str, Any]:
        """The public part as a JSON Web Key."""
        return load(self.pem)[0]

    @property
    def kid(self) -> str:
        """The name of the key: its thumbprint (RFC 7638)."""
        return str(self.public["kid"])


class _Known:
    """The keys that this process knows, and when it looks for others."""

    keys: tuple[Key, ...] = ()
    until = 0.0


def published() -> tuple[Key, ...]:
    """Returns the published keys, oldest first. Makes the first one if there is none."""
    if time.monotonic() >= _Known.until:
        _Known.keys = _read() or _make_first()
        _Known.until = time.monotonic() + LOOK_EVERY
    return _Known.keys


def signing() -> Key:
    """Returns the key that signs now."""
    now = timezone.now()
    ready = [key for key in published() if key.signs_from <= now]
    return ready[-1] if ready else published()[0]


def public_jwks() -> dict[str, Any]:
    """Returns the JSON Web Key Set to publish: the public parts alone."""
    return {"keys": [key.public for key in published()]}


def sign(claims: dict[str, Any], typ: str = "JWT") -> str:
    """Returns these claims as a signed JSON Web Token of the type `typ`."""
    key = signing()
    return jwt.encode(claims, load(key.pem)[1], algorithm=ALGORITHM, headers={"kid": key.kid, "typ": typ})


def rotate() -> SigningKey:
    """Makes a new key, which signs in an hour, and returns its row. The ones before leave when it is safe."""
    with transaction.atomic():
        _lock()
        new = _store(timezone.now() + SIGNS_AFTER)
        lasts = timedelta(seconds=settings.IDP_OIDC_ID_TOKEN_EXPIRES_IN)
        SigningKey.objects.exclude(pk=new.pk).filter(ends_at=None).update(ends_at=new.signs_from + lasts + STAYS)
    forget()
    return new


def replace() -> SigningKey:
    """Makes a new key, which signs now, and returns its row. All others are worth nothing any more: one was stolen.

    Other processes notice within LOOK_EVERY.
    """
    with transaction.atomic():
        _lock()
        new = _store(timezone.now())
        SigningKey.objects.exclude(pk=new.pk).published().update(ends_at=timezone.now())
    forget()
    return new


def unreadable() -> int:
    """Returns how many of the published keys can't be decrypted, and so are left out."""
    return sum(not _decrypted(row.pem, *settings.ENCRYPTION_KEYS) for row in SigningKey.objects.published())


def forget() -> None:
    """Has this process look for keys when it next needs one."""
    _Known.until = 0.0


@lru_cache(maxsize=8)
def load(pem: str) -> tuple[dict[str, Any], rsa.RSAPrivateKey]:
    """Returns the public JSON Web Key of a private key in PEM, and the private key. It is loaded once.

    Its primes are not checked, which takes fifty times as long as signing: we have made it, and nobody else could have
    encrypted it.
    """
    private = serialization.load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError(type(private))
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    public = {name: jwk[name] for name in ("e", "kty", "n")}  # in this order they make the thumbprint
    thumbprint = hashlib.sha256(json.dumps(public, separators=(",", ":")).encode()).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {**public, "use": "sig", "alg": ALGORITHM, "kid": kid}, private


def new_pem() -> str:
    """Returns a new private key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


def _read() -> tuple[Key, ...]:
    rows = SigningKey.objects.published().order_by("signs_from", "pk")
    found = [Key(_decrypted(row.pem, *settings.ENCRYPTION_KEYS), row.signs_from, row.ends_at) for row in rows]
    return tuple(key for key in found if key.pem)


@lru_cache(maxsize=8)
def _decrypted(encrypted: str, *_encryption_keys: str) -> str:
    """Returns a key in PEM, "" if it can't be decrypted. That is logged once, not every few seconds."""
    try:
        return encryption.decrypt(encrypted)
    except encryption.Unreadable:
        return ""


def _make_first() -> tuple[Key, ...]:
    """Makes the first key, unless another process has made it meanwhile, and returns the published keys."""
    with transaction.atomic():
        _lock()
        if not _read():
            _store(timezone.now())
    return _read()


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('frontdoor.signing_key'))")


def _store(signs_from: datetime) -> SigningKey:
    return SigningKey.objects.create(pem=encryption.encrypt(new_pem()), signs_from=signs_from)
