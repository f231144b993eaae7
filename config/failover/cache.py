"""Redis caches that nobody waits for while Redis is away.

After an error Redis is not asked for a few seconds, and a stand-in answers. Otherwise allauth, django-ratelimit and
Django's sessions would turn a missing Redis into refused or failing sign-ins.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.core.cache.backends.dummy import DummyCache
from redis.exceptions import RedisError

from config.failover.breaker import Breaker
from config.failover.windows import MemoryWindows, RedisWindows

log = logging.getLogger("frontdoor.cache")

COOL_DOWN = 5.0  # seconds without Redis after an error
STAND_IN_ENTRIES = 10_000  # of Django's 300, one visitor could soon push out the counts of all others

# One breaker for each Redis URL. All threads share it, though each thread has cache objects of its own.
breakers: defaultdict[str, Breaker] = defaultdict(partial(Breaker, COOL_DOWN))


class Memory(MemoryWindows):
    """A cache in the memory of this process. It stores no sorted sets: what goes into them may be lost."""

    def zadd(self, *args: Any, **kwargs: Any) -> int:
        """Stores nothing, and returns 0, the number of members added: this cache has no sorted sets."""
        return 0

    def zpopmin(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Returns an empty list: this cache has no sorted sets."""
        return []


class FailoverCache(RedisWindows):
    """Redis, or the memory of this process while Redis is away: limits then count per process."""

    stand_in_class: ClassVar[type[Memory | DummyCache]] = Memory

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._breaker = breakers[server]
        kept = {"KEY_PREFIX": params.get("KEY_PREFIX", ""), "OPTIONS": {"MAX_ENTRIES": STAND_IN_ENTRIES}}
        self._stand_in = self.stand_in_class("frontdoor", kept)

    def answers(self) -> bool:
        """Returns whether Redis answers at the moment. Within COOL_DOWN after an error it is not asked again."""
        self.get("answers")
        return not self._breaker.retry_at

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Returns what the method `name` of Redis returns, or of the stand-in while Redis is away."""
        if self._breaker.lets_through():
            try:
                with self._breaker.trial(RedisError, OSError):
                    return getattr(super(), name)(*args, **kwargs)
            except (RedisError, OSError) as error:
                log.warning("redis is away: %s", error)
        return getattr(self._stand_in, name)(*args, **kwargs)


class OptionalCache(FailoverCache):
    """Redis, or nothing while Redis is away: the truth of what is cached must lie elsewhere."""

    stand_in_class = DummyCache


def _guarded(name: str) -> Callable[..., Any]:
    def operation(self: FailoverCache, *args: Any, **kwargs: Any) -> Any:
        return self._call(name, *args, **kwargs)

    operation.__name__ = name
    return operation


GUARDED = "add get set touch delete incr decr has_key get_many set_many delete_many clear take give_back zadd zpopmin"
for _name in GUARDED.split():
    setattr(FailoverCache, _name, _guarded(_name))
