"""Rate limits: classes to count with, and decorators for views. Each room keeps its own numbers.

They count in Redis or, while Redis is away, in the memory of each process. Limit counts requests in fixed windows
(django-ratelimit); Quota counts in the seconds just past, so that there is no edge at which its number doubles.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from math import ceil

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage

from kit import times, visitor

View = Callable[..., HttpResponseBase]

SAFE = {"GET", "HEAD", "OPTIONS"}
HALF_A_DAY = 12 * 60 * 60  # seconds; for a longer wait the message must name the day, too

# A /48 of IPv6 is a company's site, or some hundred homes: it may send this many times what one network may.
WIDER = 5


class Limited(Exception):
    """A limit is reached: the visitor may try again in `seconds`, at `retry_at`.

    `retry_at` is a time rounded up to a whole minute, and `words` is the sentence for the visitor. Pages and JSON doors
    answer it with 429.
    """

    def __init__(self, limit: "Limit | Quota", seconds: int) -> None:
        super().__init__(limit.name)
        self.limit = limit
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
    reason: Promise = _("Try again after %(time)s.")

    def check(self, request: HttpRequest, key: str) -> None:
        """Counts one request for `key`. Raises Limited if that is more than `rate` allows."""
        usage = get_usage(request, group=self.name, key=lambda _group, _request: key, rate=self.rate, increment=True)
        if usage and usage["should_limit"]:
            raise Limited(self, usage["time_left"])

    def check_network(self, request: HttpRequest) -> None:
        """Counts one request for the visitor's network; in IPv6 also for its /48, which may send WIDER times as many.

        Raises Limited if that is more than `rate` allows.
        """
        network, site = visitor.network(request), visitor.site(request)
        self.check(request, network)
        if site != network:
            self._wider().check(request, site)

    def _wider(self) -> "Limit":
        count, _slash, period = self.rate.partition("/")
        return replace(self, name=f"{self.name}-48", rate=f"{int(count) * WIDER}/{period}")


@dataclass(frozen=True)
class Quota:
    """A limit on what may happen for one key: `most` times within any `window`. What it refuses does not count.

    `name` tells its counts from those of other limits. `reason` is the sentence for the visitor, with a place for
    `time`.
    """

    name: str
    most: int
    window: timedelta
    reason: Promise = _("Try again after %(time)s.")

    def take(self, key: str) -> int:
        """Counts one for `key`, and returns how many the window has by now. Raises Limited if there are `most`."""
        return take_all((self, key))[0]

    def give_back(self, key: str) -> None:
        """Takes back one of what is counted for `key`, if there is any."""
        give_back_all((self, key))

    def wanted(self, key: str) -> tuple[str, int, int]:
        """Returns what the cache needs to count one for `key`: its own key, `most`, and the window in milliseconds."""
        hashed = hashlib.sha256(key.encode()).hexdigest()
        return f"{self.name}:{hashed}", self.most, int(self.window.total_seconds() * 1000)


class Guesses(Quota):
    """A quota of wrong guesses.

    Call take() before a guess is checked, so that many guesses sent at once cannot evade the limit, and give_back() if
    it was right.
    """


Counted = tuple[Quota, str]  # a quota and the key to count for


class NetworkQuota(Quota):
    """A quota for the visitor's network; in IPv6 also for its /48, which may have WIDER times as many.

    It can be counted together with other quotas, in one round trip, as Limit can't: see Due. It also counts what only
    the others refuse: a try of a name that is used up costs as much as any other.
    """

    def of(self, request: HttpRequest) -> list[Counted]:
        """Returns what to count for the network that a request comes from."""
        network, site = visitor.network(request), visitor.site(request)
        wider = replace(self, name=f"{self.name}-48", most=self.most * WIDER)
        return [(self, network)] if site == network else [(self, network), (wider, site)]

    def check_network(self, request: HttpRequest) -> None:
        """Counts one request for the visitor's network. Raises Limited if it has none left."""
        take_all(*self.of(request))


@dataclass(frozen=True)
class Due:
    """The quota of a network that a page counts together with quotas of its own, in one round trip: take_due() has it.

    If the page does not ask for it, the request is counted when it is over. So it is for pages alone that do nothing
    costly before they ask.
    """

    quota: NetworkQuota


PerNetwork = Limit | NetworkQuota | Due


def take_due(request: HttpRequest) -> list[Counted]:
    """Returns what is due to be counted for the network that a request comes from; nothing the second time."""
    counted: list[Counted] = request.__dict__.pop("due", [])
    return counted


def take_all(*counted: Counted) -> list[int]:
    """Counts one in each of these quotas, in one round trip. Returns how many each window has by now.

    Raises Limited if any of them is used up, for a network's or else for the longest wait; then only those of networks
    have counted one.
    """
    if not counted or not getattr(settings, "RATELIMIT_ENABLE", True):
        return [1] * len(counted)
    wanted = [quota.wanted(key) for quota, key in counted]
    answers = cache.take(wanted, int(time.time() * 1000))  # type: ignore[attr-defined]
    spent = [(wait, quota) for (quota, _key), (count, wait) in zip(counted, answers, strict=True) if count > quota.most]
    if spent:
        kept = [one for one, (count, _wait) in zip(counted, answers, strict=True) if count <= one[0].most]
        give_back_all(*(one for one in kept if not isinstance(one[0], NetworkQuota)))
        wait, quota = max(spent, key=lambda one: (isinstance(one[1], NetworkQuota), one[0]))
        raise Limited(quota, ceil(wait / 1000))
    return [count for count, _wait in answers]


def give_back_all(*counted: Counted) -> None:
    """Takes back one of what is counted in each of these quotas, in one round trip."""
    if not counted:
        return
    cache.give_back([quota.wanted(key) for quota, key in counted])  # type: ignore[attr-defined]


def per_network(limit: PerNetwork) -> Callable[[View], View]:
    """Returns a decorator for views that counts unsafe requests (not GET, HEAD, OPTIONS) by network.

    The decorated view raises Limited once the visitor's network has sent more than `limit` allows.
    """
    return _counting_later(limit.quota) if isinstance(limit, Due) else _counting(limit.check_network)


def per_user(limit: Limit) -> Callable[[View], View]:
    """Returns a decorator for views that counts unsafe requests (not GET, HEAD, OPTIONS) by the signed-in person.

    The decorated view raises Limited once the person has sent more than `limit` allows. Only for views behind sign-in:
    it reads `request.user.pk`.
    """
    return _counting(lambda request: limit.check(request, request.user.pk.hex))  # type: ignore[union-attr]


def _counting(count: Callable[[HttpRequest], None]) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method not in SAFE:
                count(request)
            return view(request, *args, **kwargs)

        return wrapper

    return decorator


def _counting_later(quota: NetworkQuota) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method in SAFE:
                return view(request, *args, **kwargs)
            request.due = quota.of(request)  # type: ignore[attr-defined]
            try:
                return view(request, *args, **kwargs)
            finally:
                take_all(*take_due(request))

        return wrapper

    return decorator
