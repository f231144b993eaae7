"""What cannot be read in the cache is absent: it is dropped, the site goes on, and Redis does not count as away."""

import pytest
import redis
from django.core.cache import cache, caches
from django.test import Client

from accounts import limits
from config.failover.cache import breakers
from kit.rate_limit import Limited
from tests.tools.factories import PASSWORD
from tests.tools.tries import use_up_tries

pytestmark = pytest.mark.django_db


@pytest.fixture
def raw(settings):
    """A client that writes to Redis what no code of ours would."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


VALUES = [b"\x80", b"", b"x", b"1.5x", b"null", b"[1]", b'{"a": 1}', b"[" * 5000, b"9" * 5000, b'"5"']
WAYS = [
    *(lambda raw, key, value=value: raw.set(key, value, ex=60) for value in VALUES),
    lambda raw, key: raw.rpush(key, "a"),
    lambda raw, key: raw.zadd(key, {"a": 1}),
    lambda raw, key: raw.hset(key, "a", "b"),
]
NAMES = [*(repr(value[:10]) for value in VALUES), "list", "sorted set", "hash"]


@pytest.fixture(params=WAYS, ids=NAMES)
def spoil(request, raw):
    """A function that puts something else under a key of Redis, or under all that begin with `limits`."""

    def put(*keys):
        for key in keys or raw.keys("limits:*"):
            raw.delete(key)
            request.param(raw, key)

    return put


def is_well():
    return not any(breaker.retry_at for breaker in breakers.values())


def test_a_limit_counts_on(spoil, ada):
    client = Client()
    client.post("/login", {"login": "ada", "password": "wrong password"})

    spoil()
    answer = client.post("/login", {"login": "ada", "password": PASSWORD})

    assert answer.url == "/account"
    assert is_well()


def test_guesses_are_counted_again_from_there(spoil, rf):
    guesses = limits.LOGIN_PER_NAME
    guesses.take("ada")

    spoil(cache.make_key(guesses.wanted("ada")[0]))

    assert [guesses.take("ada") for _ in range(guesses.most)] == list(range(1, guesses.most + 1))
    with pytest.raises(Limited) as reached:
        guesses.take("ada")
    assert 0 < reached.value.seconds <= guesses.window.total_seconds() * 12
    guesses.give_back("ada")
    assert is_well()


def test_a_limit_that_is_reached_still_refuses_others(raw, ada):
    use_up_tries()
    raw.set("limits:1:something", b"\x80")

    assert Client().post("/login", {"login": "ada", "password": PASSWORD}).status_code == 429


def test_what_is_read_is_absent_and_dropped(spoil, raw):
    key = cache.make_key("rows")
    spoil(key)

    found = cache.get("rows")

    assert not isinstance(found, bytes)
    assert cache.get_many(["rows", "others"]).keys() <= {"rows"}
    assert is_well()


def test_bytes_of_another_type_are_dropped(raw):
    for put in (lambda key: raw.rpush(key, "a"), lambda key: raw.set(key, b"\x80")):
        put(cache.make_key("rows"))

        assert cache.get("rows", "none") == "none"
        assert not raw.exists(cache.make_key("rows"))


def test_openings_are_noted_over_what_is_no_sorted_set(spoil):
    spoil(cache.make_key("opened"))

    cache.zadd("opened", {"a": 1})
    cache.zpopmin("opened", 5)

    assert is_well()


def test_the_copy_of_a_session_may_be_of_another_type(raw, signed_in):
    (key,) = raw.keys("sessions:*")
    raw.delete(key)
    raw.rpush(key, "a")

    assert signed_in.get("/account").status_code == 200
    assert is_well()
    assert caches["sessions"].answers()


def test_the_funnel_counts_again(spoil, raw, desk):
    desk.get("/admin/invites/funnel/")
    keys = [key for key in raw.keys("limits:*") if b"funnel" in key]
    assert keys
    spoil(*keys)

    assert desk.get("/admin/invites/funnel/").status_code == 200
