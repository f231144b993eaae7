"""What the home remembers for a while, for all staff: a busy desk need not count the same rows for every page."""

from collections.abc import Callable
from typing import Any

from django.core.cache import cache

UNREADABLE = (TypeError, ValueError, LookupError, AttributeError)  # of a value that is not there, or not of ours


def remembered[Value](
    key: str,
    seconds: int,
    read: Callable[[Any], Value],
    make: Callable[[], Any],
    keep: Callable[[Value], bool] = lambda _value: True,
) -> Value:
    """Returns what `read` makes of the value under `key`; if there is none that it can read, of the value of `make`.

    That value, which must be fit for JSON, is then remembered for so many seconds, unless `keep` says no.
    """
    try:
        return read(cache.get(f"desk:{key}"))
    except UNREADABLE:
        pass
    made = make()
    value = read(made)
    if keep(value):
        cache.set(f"desk:{key}", made, seconds)
    return value
