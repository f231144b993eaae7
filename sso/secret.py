"""Secrets of apps: random, so one plain hash is enough, and while one is renewed the former one works for a day."""

import hashlib
import secrets
import string
import time
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare, salted_hmac

# Letters and digits alone: clients differ in how they encode anything else (RFC 6749 §2.3.1).
ALPHABET = string.ascii_letters + string.digits
ID = r"[A-Za-z0-9]{24}"  # the shape of a client id
LENGTH = 43  # 256 bits
BOTH_WORK = timedelta(hours=24)  # the old and the new secret, after a renewal, so that the app can change over


def new_id() -> str:
    """Returns a new client id: 24 letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _position in range(24))


def new_secret() -> str:
    """Returns a new client secret of 256 random bits, in letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _position in range(LENGTH))


class SecretHasher(BasePasswordHasher):
    """Hashes the secrets of apps with SHA-256, in a column `app_secret$HASH` or `app_secret$HASH$FORMER$UNTIL`.

    They are random: a slow hash, which protects passwords that people choose, would only cost. FORMER is the hash of
    the secret before, which works too up to UNTIL, in seconds since the epoch. django.contrib.auth finds it by
    `algorithm`, as PASSWORD_HASHERS names it; no password of a person is ever hashed by it.
    """

    algorithm = "app_secret"

    def salt(self) -> str:
        return ""

    def encode(self, password: str, salt: str = "") -> str:
        return f"{self.algorithm}${digest(password)}"

    def verify(self, password: str, encoded: str) -> bool:
        _algorithm, now, *former = encoded.split("$")
        given = digest(password)
        is_now = constant_time_compare(given, now)
        is_former = bool(former) and constant_time_compare(given, former[0]) and time.time() < float(former[1])
        return is_now or is_former

    def decode(self, encoded: str) -> dict[str, Any]:
        return {"algorithm": self.algorithm}

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        return {}

    def must_update(self, encoded: str) -> bool:
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Does nothing: there is no work to make up for."""


def renewed(encoded: str, secret: str) -> str:
    """Returns the column for a new `secret`, with the one that `encoded` holds as the former one for BOTH_WORK."""
    former = encoded.split("$")[1]
    return f"{SecretHasher().encode(secret)}${former}${int(time.time() + BOTH_WORK.total_seconds())}"


def fingerprint(encoded: str) -> str:
    """Returns what tells the column of one secret from that of another, and gives nothing of it away."""
    return salted_hmac("sso.secret", encoded, algorithm="sha256").hexdigest()[:16]


def digest(secret: str) -> str:
    """Returns the SHA-256 of a secret, as 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
