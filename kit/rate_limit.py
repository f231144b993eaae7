"""Limits, worn by views as decorators; each room keeps its own numbers.

They count in fixed windows (django-ratelimit), in Redis or, while that is away, in each process's memory.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps

from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage

from kit import times, visitor

View = Callable[..., HttpResponseBase]

HALF_A_DAY = 12 * 60 * 60  # seconds; who waits longer must be told the day too


class Limited(Exception):
    """A limit is reached, for so many `seconds`, until `retry_at`; `words` say so to the visitor."""

    def __init__(self, limit: "Limit | Guesses", seconds: int) -> None:
        super().__init__(limit.name)
        self.seconds = max(1, seconds)
        # Pages name minutes, and nobody should come back within the one that is not over yet.
        self.retry_at = (timezone.now() + timedelta(seconds=self.seconds + 60)).replace(second=0, microsecond=0)
        self.reason = limit.reason

    @property
    def words(self) -> str:
        time = times.until(self.retry_at) if self.seconds > HALF_A_DAY else times.clock(self.retry_at)
        return str(self.reason) % {"time": time}


@dataclass(frozen=True)
class Limit:
    name: str
    rate: str  # count/period, as django-ratelimit writes it: "5/h", "30/10m"
    reason: Promise = _("Try again after %(time)s. Your account is not locked.")

    def check(self, request: HttpRequest, key: str) -> None:
        """Counts one more for `key`; raises Limited when that is one too many."""
        usage = get_usage(request, group=self.name, key=lambda _group, _request: key, rate=self.rate, increment=True)
        if usage and usage["should_limit"]:
            raise Limited(self, usage["time_left"])


@dataclass(frozen=True)
class Guesses:
    """A limit that only wrong tries count towards.

    Each is counted before it is known to be wrong, so that many at once are no way around it, and given back if right.
    """

    name: str
    most: int
    window: timedelta
    reason: Promise

    def take(self, key: str) -> int:
        """Counts one more for `key`, and gives how many that makes; raises Limited when it is one too many."""
        name = self._key(key)
        if cache.add(name, 1, int(self.window.total_seconds())):
            return 1
        try:
            taken = cache.incr(name)
        except ValueError:  # the window ended between the two
            return 1
        if taken > self.most:
            self.give_back(key)  # nobody looks at this one: many right ones at once must not add up to wrong ones
            left = cache.ttl(name) or self.window.total_seconds()  # type: ignore[attr-defined]
            raise Limited(self, int(left))
        return int(taken)

    def give_back(self, key: str) -> None:
        with suppress(ValueError):
            cache.decr(self._key(key))

    def _key(self, key: str) -> str:
        return f"{self.name}:{hashlib.sha256(key.encode()).hexdigest()}"


def per_network(limit: Limit) -> Callable[[View], View]:
    """Counts by the visitor's network whatever may change something."""
    return _counted(limit, visitor.network)


def per_user(limit: Limit) -> Callable[[View], View]:
    """Counts by the person signed in whatever may change something."""
    return _counted(limit, lambda request: request.user.pk.hex)  # type: ignore[union-attr]


def _counted(limit: Limit, key: Callable[[HttpRequest], str]) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method not in {"GET", "HEAD", "OPTIONS"}:
                limit.check(request, key(request))
            return view(request, *args, **kwargs)

        return wrapper

    return decorator
