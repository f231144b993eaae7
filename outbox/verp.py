"""Variable envelope return paths: every mail has an address of its own to come back to.

bounces@example.com becomes bounces+ID-SIGNATURE@example.com: characters that no mail server changes, and at most 64 of
them before the @ (RFC 5321 §4.5.3.1.1).
"""

import re
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

if TYPE_CHECKING:
    from outbox.models import OutboxMessage

SIGNATURE = 20  # hexadecimal digits: 80 bits


def return_path(row: "OutboxMessage") -> str:
    """Returns the address that bounces of this mail go to, or "" without a BOUNCE_ADDRESS."""
    local, _at, domain = settings.BOUNCE_ADDRESS.partition("@")
    return f"{local}+{row.pk}-{_signature(row.pk, settings.SECRET_KEY)}@{domain}" if domain else ""


def row_id(text: str) -> int | None:
    """Returns the id of the mail whose return path, signed by us, stands in this text, or None.

    Anyone who has received one of our mails knows its return path, and can claim that it came back. Such a claim
    reaches no more than that mail and the address it was sent to.
    """
    local, _at, domain = settings.BOUNCE_ADDRESS.partition("@")
    if not domain:
        return None
    pattern = rf"{re.escape(local)}\+(\d{{1,19}})-([0-9a-f]{{{SIGNATURE}}})@{re.escape(domain)}"
    # Some servers change upper case to lower, or the other way round.
    found = re.finditer(pattern, text, re.IGNORECASE | re.ASCII)
    return next((int(match[1]) for match in found if _is_ours(int(match[1]), match[2].lower())), None)


def _is_ours(pk: int, signature: str) -> bool:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(signature, _signature(pk, key)) for key in keys)


def _signature(pk: int, key: str) -> str:
    return salted_hmac("frontdoor.mail.verp", str(pk), secret=key, algorithm="sha256").hexdigest()[:SIGNATURE]
