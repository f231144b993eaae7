"""Caches that count what happened for a key within a window: the last seconds, whenever these began."""

import threading
from collections.abc import Iterable, Sequence

from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache

Wanted = tuple[str, int, int]  # a key, the most that its window may have, the window in milliseconds

# Under each key lies a list of the times that count, oldest first. Anything else there is dropped. It is one key to a
# script, because a cluster may keep two keys on two machines.
TAKE = """
local key, most, window, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('TYPE', key).ok ~= 'list' then redis.call('DEL', key) end
local oldest = redis.call('LINDEX', key, 0)
while oldest and (tonumber(oldest) or 0) <= now - window do
    redis.call('LPOP', key)
    oldest = redis.call('LINDEX', key, 0)
end
local count = redis.call('LLEN', key) + 1
if count <= most then
    redis.call('RPUSH', key, ARGV[3])
    redis.call('PEXPIRE', key, window)
end
return {count, tonumber(oldest or now) + window - now}
"""


class RedisWindows(RedisCache):
    """Redis, with windows."""

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> int:
        """Deletes these keys, and returns how many there were. It names a thousand in a tenth of django-redis' time."""
        start = self.client.make_key("", version)
        named = [start + key for key in keys]
        return int(self.client.get_client(write=True).delete(*named)) if named else 0

    def take(self, wanted: Sequence[Wanted], now: int) -> list[tuple[int, int]]:
        """Counts one for each key whose window does not have the most already, in one round trip.

        `now` is in milliseconds. Returns for each key how many its window has with this one, counted or not, and in how
        many milliseconds the oldest of them leaves it.
        """
        pipeline = self.client.get_client(write=True).pipeline(transaction=False)
        for key, most, window in wanted:
            pipeline.eval(TAKE, 1, self.client.make_key(key), most, window, now)
        return [(count, wait) for count, wait in pipeline.execute()]

    def give_back(self, wanted: Sequence[Wanted]) -> None:
        """Takes back the newest that is counted for each key, if there is any, in one round trip."""
        pipeline = self.client.get_client(write=True).pipeline(transaction=False)
        for key, _most, _window in wanted:
            pipeline.rpop(self.client.make_key(key))
        pipeline.execute(raise_on_error=False)  # what is no list by now counts nothing


class MemoryWindows(LocMemCache):
    """The memory of this process, with windows."""

    _turn = threading.Lock()

    def take(self, wanted: Sequence[Wanted], now: int) -> list[tuple[int, int]]:
        """Counts as RedisWindows.take() does."""
        with self._turn:
            return [self._take(key, most, window, now) for key, most, window in wanted]

    def _take(self, key: str, most: int, window: int, now: int) -> tuple[int, int]:
        times: list[int] = [at for at in self.get(key, []) if at > now - window]
        oldest, count = times[0] if times else now, len(times) + 1
        if count <= most:
            self.set(key, [*times, now], window / 1000)
        return count, oldest + window - now

    def give_back(self, wanted: Sequence[Wanted]) -> None:
        """Takes back as RedisWindows.give_back() does."""
        with self._turn:
            for key, _most, window in wanted:
                self.set(key, self.get(key, [])[:-1], window / 1000)
