"""Redis caches that nobody has to wait for.

After an error Redis is left alone for a few seconds and a stand-in answers: allauth, django-ratelimit and Django's
sessions would otherwise turn a missing Redis into refused or failing sign-ins.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from redis.exceptions import RedisError

from config.failover.breaker import Breaker

log = logging.getLogger("frontdoor.cache")

COOL_DOWN = 5.0  # seconds without Redis after an error

# One for each address, shared by the process's threads, each of which has its own cache objects.
breakers: defaultdict[str, Breaker] = defaultdict(partial(Breaker, COOL_DOWN))


class Memory(LocMemCache):
    """The memory of this process. It keeps no sorted sets: what is noted in them is not worth keeping here."""

    def ttl(self, key: str) -> int:
        """0: it does not tell for how long it keeps something."""
        return 0

    def zadd(self, *args: Any, **kwargs: Any) -> int:
        return 0

    def zpopmin(self, *args: Any, **kwargs: Any) -> list[Any]:
        return []


class FailoverCache(RedisCache):
    """Redis, or this process's memory while Redis is away: limits then hold per process."""

    stand_in_class: ClassVar[type[Memory | DummyCache]] = Memory

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._breaker = breakers[server]
        self._stand_in = self.stand_in_class("frontdoor", {"KEY_PREFIX": params.get("KEY_PREFIX", "")})

    def answers(self) -> bool:
        """Whether Redis answers just now."""
        self.get("answers")
        return not self._breaker.retry_at

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if self._breaker.lets_through():
            try:
                with self._breaker.trial(RedisError, OSError):
                    return getattr(super(), name)(*args, **kwargs)
            except (RedisError, OSError) as error:
                log.warning("redis is away: %s", error)
        return getattr(self._stand_in, name)(*args, **kwargs)


class OptionalCache(FailoverCache):
    """Redis, or nothing while Redis is away: what is cached must have its truth elsewhere."""

    stand_in_class = DummyCache


def _guarded(name: str) -> Callable[..., Any]:
    def operation(self: FailoverCache, *args: Any, **kwargs: Any) -> Any:
        return self._call(name, *args, **kwargs)

    operation.__name__ = name
    return operation


GUARDED = "add get set touch delete incr decr has_key get_many set_many delete_many clear ttl zadd zpopmin"
for _name in GUARDED.split():
    setattr(FailoverCache, _name, _guarded(_name))
