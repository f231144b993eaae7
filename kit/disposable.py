"""Mailboxes that anybody opens for ten minutes and throws away: the domains that are known for them."""

from collections.abc import Collection
from functools import cache

from kit import domains


@cache
def known() -> Collection[str]:
    """Returns the known domains. Only a site that asks pays for them, with a few megabytes of memory."""
    from disposable_email_domains import blocklist  # noqa: PLC0415 so that no other site reads it

    return blocklist


def is_disposable(domain: str) -> bool:
    """Returns whether a mail domain, or one that it lies below, is known for disposable mailboxes."""
    return any(pattern.removeprefix(domains.BELOW) in known() for pattern in domains.fitting(domain))
