"""Redis caches that nobody waits for while Redis is away.

After an error Redis is not asked for a few seconds, and a stand-in answers. Otherwise allauth, django-ratelimit and
Django's sessions would turn a missing Redis into refused or failing sign-ins.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from django.core.cache.backends.dummy import DummyCache
from redis.exceptions import RedisError, ResponseError

from config.failover.breaker import Breaker
from config.failover.windows import MemoryWindows, RedisWindows

log = logging.getLogger("frontdoor.cache")

COOL_DOWN = 5.0  # seconds without Redis after an error
STAND_IN_ENTRIES = 10_000  # of Django's 300, one visitor could soon push out the counts of all others

REST = 60 * 60  # seconds that a count lasts which begins again under a key without an end

# One breaker for each Redis URL. All threads share it, though each thread has cache objects of its own.
breakers: defaultdict[str, Breaker] = defaultdict(partial(Breaker, COOL_DOWN))


class OtherKind(Exception):
    """Redis is well, but what it has under a key is of another kind than the question."""


# What is raised for a value that nobody of ours has stored: it is no JSON, or not of the right type.
NO_VALUE = (OtherKind, ValueError, RecursionError)
NO_COUNT = (*NO_VALUE, TypeError)


class Memory(MemoryWindows):
    """A cache in the memory of this process. It stores no sorted sets: what goes into them may be lost."""

    def ttl(self, key: str) -> int:
        """Returns 0: this cache does not tell how long it keeps a key."""
        return 0

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

    def get(self, key: str, default: Any = None, **kwargs: Any) -> Any:
        """Returns the value under a key, or `default` if there is none. What cannot be read is dropped, and is none."""
        try:
            return self._call("get", key, default, **kwargs)
        except NO_VALUE:
            self.drop(key)
            return default

    def get_many(self, keys: Iterable[str], **kwargs: Any) -> dict[str, Any]:
        """Returns the values that there are, by their keys. What cannot be read is dropped, and is none."""
        asked = list(keys)
        try:
            return dict(self._call("get_many", asked, **kwargs))
        except NO_VALUE:
            return {key: value for key in asked if (value := self.get(key, **kwargs)) is not None}

    def incr(self, key: str, delta: int = 1, **kwargs: Any) -> int:
        """Adds `delta` to the count under a key, and returns it. What is no count is dropped, and it begins again.

        Raises ValueError if there is nothing under the key.
        """
        try:
            return int(self._call("incr", key, delta, **kwargs))
        except NO_COUNT as error:
            if isinstance(error, ValueError) and str(error).endswith("not found"):
                raise
            rest = self.ttl(key) or REST
            self.drop(key)
            self.set(key, delta, rest)
            return delta

    def decr(self, key: str, delta: int = 1, **kwargs: Any) -> int:
        """Takes `delta` from the count under a key, and returns it; see incr()."""
        return self.incr(key, -delta, **kwargs)

    def drop(self, key: str) -> None:
        """Deletes a key whose value cannot be read."""
        log.warning("redis held something unreadable, which is dropped")
        self.delete(key)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Returns what the method `name` of Redis returns, or of the stand-in while Redis is away.

        Raises OtherKind if Redis answers that it cannot do that with what it has under the key.
        """
        if self._breaker.lets_through():
            try:
                with self._breaker.trial(RedisError, OSError):
                    return self._ask(name, *args, **kwargs)
            except (RedisError, OSError) as error:
                log.warning("redis is away: %s", error)
        return getattr(self._stand_in, name)(*args, **kwargs)

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(super(), name)(*args, **kwargs)
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                raise OtherKind from error
            raise


class OptionalCache(FailoverCache):
    """Redis, or nothing while Redis is away: the truth of what is cached must lie elsewhere."""

    stand_in_class = DummyCache


def _guarded(name: str) -> Callable[..., Any]:
    def operation(self: FailoverCache, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._call(name, *args, **kwargs)
        except NO_VALUE:
            self.drop(args[0])
            return self._call(name, *args, **kwargs)

    operation.__name__ = name
    return operation


GUARDED = "add set touch delete has_key set_many delete_many clear ttl take give_back zadd zpopmin"
for _name in GUARDED.split():
    setattr(FailoverCache, _name, _guarded(_name))
