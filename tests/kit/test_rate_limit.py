"""Limits: what they say when they are reached, and what counts towards them."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.cache import caches
from django.utils import timezone, translation

from accounts import limits
from config.failover.cache import Memory
from kit import rate_limit
from kit.rate_limit import Quota, give_back_all, take_all

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "hour", "day"),
    [
        ("en", r"after \d\d:\d\d \(UTC\)", r"after \w+day \d+ \w+, \d\d:\d\d \(UTC\)"),
        ("ru", r"после \d\d:\d\d \(UTC\)", r"после \d\d:\d\d \w+, \d+ \w+ \(UTC\)"),
    ],
)
def test_a_wait_of_more_than_twelve_hours_names_the_day_too(language, hour, day):
    with translation.override(language):
        assert re.search(hour, rate_limit.Limited(limits.FACTOR_PER_USER_A_DAY, 12 * 60 * 60).words)
        assert re.search(day, rate_limit.Limited(limits.FACTOR_PER_USER_A_DAY, 12 * 60 * 60 + 1).words)


def test_right_guesses_at_once_do_not_add_up_to_wrong_ones():
    limit = limits.LOGIN_PER_NAME
    for _ in range(limit.most):
        limit.take("ada")
    for _ in range(20):
        with pytest.raises(rate_limit.Limited):
            limit.take("ada")
    for _ in range(limit.most):
        limit.give_back("ada")

    assert limit.take("ada") == 1


@pytest.fixture(params=["Redis", "memory"])
def cache(request, monkeypatch):
    """Each of the two caches that count: Redis, and the memory of a process in which Redis is away."""
    counting = caches["default"] if request.param == "Redis" else Memory("a test", {})
    counting.clear()
    monkeypatch.setattr(rate_limit, "cache", counting)
    return counting


THREE = Quota("three", most=3, window=timedelta(hours=1), reason=limits.LOGIN_PER_NAME.reason)
FIVE = Quota("five", most=5, window=timedelta(days=1), reason=limits.LOGIN_PER_NAME.reason)
NOON = timezone.now().replace(hour=12, minute=0)


def take(quota, key="ada"):
    try:
        return quota.take(key)
    except rate_limit.Limited as limit:
        return limit


def test_no_hour_has_more_than_its_most_wherever_it_begins(cache):
    admitted = []
    for minute in range(0, 600, 7):
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            if isinstance(take(THREE), int):
                admitted.append(minute)

    for start in range(600):
        assert len([minute for minute in admitted if start <= minute < start + 60]) <= 3
    assert len(admitted) > 20


def test_the_wait_lasts_until_the_oldest_leaves_the_window(cache):
    for minute in (0, 10, 20):
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            take(THREE)

    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        assert take(THREE).seconds == 30 * 60
    with time_machine.travel(NOON + timedelta(minutes=60), tick=False):
        assert take(THREE) == 3
        assert take(THREE).seconds == 10 * 60


def test_all_count_or_none_and_the_longest_wait_is_told(cache):
    for _ in range(3):
        assert take_all((THREE, "ada"), (FIVE, "ada"))[0] <= 3

    for _ in range(4):
        with pytest.raises(rate_limit.Limited) as reached:
            take_all((FIVE, "ada"), (THREE, "ada"))
        assert reached.value.limit == THREE

    assert [take(FIVE), take(FIVE)] == [4, 5]
    with pytest.raises(rate_limit.Limited) as reached:
        take_all((THREE, "ada"), (FIVE, "ada"))
    assert reached.value.limit == FIVE
    assert take(THREE, "grace") == 1


def test_what_is_given_back_can_be_taken_again(cache):
    give_back_all((THREE, "ada"), (FIVE, "ada"))
    for _ in range(3):
        take(THREE)
    give_back_all((THREE, "ada"), (FIVE, "ada"))

    assert take(THREE) == 3
    assert take(THREE).limit == THREE


def test_many_at_once_do_not_get_in_together(cache):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _n: take(THREE), range(60)))

    assert sorted(answer for answer in answers if isinstance(answer, int)) == [1, 2, 3]


def test_nothing_is_stored_for_longer_than_its_window():
    default = caches["default"]
    take_all((THREE, "ada"), (FIVE, "ada"))

    for quota in (THREE, FIVE):
        left = default.client.get_client().pttl(default.client.make_key(quota.wanted("ada")[0]))
        assert 0 < left <= quota.window.total_seconds() * 1000


UNREADABLE = {
    "text": lambda redis, key: redis.set(key, "\x80"),
    "another type": lambda redis, key: redis.hset(key, "a", "b"),
}
UNREADABLE["a list of nonsense"] = lambda redis, key: redis.rpush(key, "", "x", "\x80", "[1]")


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_does_not_count(what):
    default = caches["default"]
    key = default.client.make_key(THREE.wanted("ada")[0])
    UNREADABLE[what](default.client.get_client(write=True), key)

    assert [take(THREE) for _ in range(3)] == [1, 2, 3]
    assert default.answers()


def asking(address):
    return SimpleNamespace(META={"REMOTE_ADDR": address}, headers={}, method="POST")


FEW = rate_limit.NetworkQuota("few-of-network", most=2, window=timedelta(minutes=10))


@pytest.mark.parametrize("limit", [rate_limit.Limit("few", "2/10m"), FEW])
def test_a_48_may_send_five_times_what_a_network_may(limit):
    for n in range(10):
        limit.check_network(asking(f"2001:db8:0:{n % 5:x}::1"))

    for address in ("2001:db8:0:1::1", "2001:db8:0:ff::1"):
        with pytest.raises(rate_limit.Limited):
            limit.check_network(asking(address))
    limit.check_network(asking("2001:db8:1::1"))
    limit.check_network(asking("192.0.2.1"))


@pytest.fixture
def request_of_network():
    return lambda: asking("192.0.2.1")


@pytest.mark.parametrize("counts", [True, False], ids=["with a quota of the view", "after the view"])
def test_what_is_due_is_counted_once_and_in_one_round_trip(request_of_network, cache_calls, counts):
    view = rate_limit.per_network(rate_limit.Due(FEW))(
        lambda request: take_all((THREE, "ada"), *rate_limit.take_due(request)) if counts else "done"
    )
    for _ in range(2):
        view(request_of_network())
    assert cache_calls == ["take", "take"]

    with pytest.raises(rate_limit.Limited) as reached:
        view(request_of_network())
    assert reached.value.limit == FEW


def test_what_is_due_is_counted_for_a_view_that_fails_too(request_of_network):
    view = rate_limit.per_network(rate_limit.Due(FEW))(lambda request: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            view(request_of_network())
    with pytest.raises(rate_limit.Limited):
        view(request_of_network())


def test_what_another_quota_refuses_counts_for_the_network_alone(request_of_network):
    request = request_of_network()
    for _ in range(3):
        THREE.take("ada")
    for _ in range(2):
        with pytest.raises(rate_limit.Limited) as reached:
            take_all((THREE, "ada"), (FIVE, "ada"), *FEW.of(request))
        assert reached.value.limit == THREE

    assert FIVE.take("ada") == 1
    with pytest.raises(rate_limit.Limited):
        FEW.check_network(request)
