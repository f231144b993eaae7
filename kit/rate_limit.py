"""Rate limits: classes to count with, and decorators for views. Each room keeps its own numbers.

They count in Redis or, while Redis is away, in the memory of each process. Limit counts in fixed windows
(django-ratelimit); Guesses opens a window with the first guess.
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

HALF_A_DAY = 12 * 60 * 60  # seconds; for a longer wait the message must name the day, too


class Limited(Exception):
    """A limit is reached: the visitor may try again in `seconds`, at `retry_at`.

    `retry_at` is a time rounded up to a whole minute, and `words` is the sentence for the visitor. Pages and JSON doors
    answer it with 429.
    """

    def __init__(self, limit: "Limit | Guesses", seconds: int) -> None:
        super().__init__(limit.name)
        self.seconds = max(1, seconds)
        self.retry_at = times.next_minute(timezone.now() + timedelta(seconds=self.seconds))
        self.reason = limit.reason

    @property
    def words(self) -> str:
        """The sentence for the visitor, in the active language: why, and when to try again."""
        time = times.until(self.retry_at) if self.seconds > HALF_A_DAY else times.clock(self.retry_at)
        return str(self.reason) % {"time": time}


@dataclass(frozen=True)
class Limit:
    """A limit on requests: `rate` says how many are allowed for one key in a period, as in "5/h".

    `name` tells its counts from those of other limits. `reason` is the sentence for the visitor, with a place for
    `time`.
    """

    name: str
    rate: str  # count/period, as django-ratelimit writes it: "5/h", "30/10m"
    reason: Promise = _("Try again after %(time)s. Your account is not locked.")

    def check(self, request: HttpRequest, key: str) -> None:
        """Counts one request for `key`. Raises Limited if that is more than `rate` allows."""
        usage = get_usage(request, group=self.name, key=lambda _group, _request: key, rate=self.rate, increment=True)
        if usage and usage["should_limit"]:
            raise Limited(self, usage["time_left"])


@dataclass(frozen=True)
class Guesses:
    """A limit on wrong guesses: `most` per `window` and key.

    Call take() before a guess is checked, so that many guesses sent at once cannot evade the limit, and give_back() if
    it was right. `name` tells its counts from those of other limits. `reason` is the sentence for the visitor, with a
    place for `time`.
    """

    name: str
    most: int
    window: timedelta
    reason: Promise

    def take(self, key: str) -> int:
        """Counts one guess for `key` and returns how many the window has by now.

        Raises Limited if there are more than `most`; this guess is then not counted.
        """
        name = self._key(key)
        if cache.add(name, 1, int(self.window.total_seconds())):
            return 1
        try:
            taken = cache.incr(name)
        except ValueError:  # the window ended between add() and incr()
            return 1
        if taken > self.most:
            self.give_back(key)  # this guess is not checked: right guesses sent at once must not count as wrong
            left = cache.ttl(name) or self.window.total_seconds()  # type: ignore[attr-defined]
            raise Limited(self, int(left))
        return int(taken)

    def give_back(self, key: str) -> None:
        """Takes one counted guess of `key` back, because it was right or was never checked.

        Does nothing if the window has ended.
        """
        with suppress(ValueError):
            cache.decr(self._key(key))

    def _key(self, key: str) -> str:
        return f"{self.name}:{hashlib.sha256(key.encode()).hexdigest()}"


def per_network(limit: Limit) -> Callable[[View], View]:
    """Returns a decorator for views that counts unsafe requests (not GET, HEAD, OPTIONS) by network.

    The decorated view raises Limited once the visitor's network has sent more than `limit` allows.
    """
    return _count_by(limit, visitor.network)


def per_user(limit: Limit) -> Callable[[View], View]:
    """Returns a decorator for views that counts unsafe requests (not GET, HEAD, OPTIONS) by the signed-in person.

    The decorated view raises Limited once the person has sent more than `limit` allows. Only for views behind sign-in:
    it reads `request.user.pk`.
    """
    return _count_by(limit, lambda request: request.user.pk.hex)  # type: ignore[union-attr]


def _count_by(limit: Limit, key: Callable[[HttpRequest], str]) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method not in {"GET", "HEAD", "OPTIONS"}:
                limit.check(request, key(request))
            return view(request, *args, **kwargs)

        return wrapper

    return decorator
