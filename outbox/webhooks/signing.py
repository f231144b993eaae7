"""Headers that prove the sender, content and time of a message (Standard Webhooks, "Verifying signatures")."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from uuid import UUID

from outbox.models.webhook import PREFIX


def headers(message_id: UUID, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Returns the headers that sign one try to send `body`, at `timestamp` in Unix seconds.

    Each secret signs, so that a receiver can verify the message with any of them.
    """
    signatures = [signature(secret, message_id, timestamp, body) for secret in secrets]
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def signature(secret: str, message_id: UUID, timestamp: int, body: bytes) -> str:
    """Returns the signature by one secret, such as "v1,K5oZ…": base64 of an HMAC with SHA-256 (Standard Webhooks).

    It covers the id, the time in Unix seconds, and the bytes of the body.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, b"%s.%d.%s" % (str(message_id).encode(), timestamp, body), hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"
