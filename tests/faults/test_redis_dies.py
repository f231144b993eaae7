"""Promise 9 with a real Redis that dies, hangs and forgets while people are signed in."""

import pytest

from accounts import limits
from config.failover.cache import COOL_DOWN
from tests.faults.parts import ADDED, WORST, Browser, at_once, one_by_one, summary, typical, wait_until, worst


def flush(cache):
    with cache.client() as client:
        client.flushall()


def restart(cache):
    cache.stop()
    cache.start()


FAULTS = {"stopped": lambda cache: cache.stop(), "paused": lambda cache: cache.pause(), "flushed": flush}
FAULTS["restarted"] = restart


@pytest.fixture(params=FAULTS)
def fail(request, cache):
    return lambda: FAULTS[request.param](cache)


@pytest.mark.usefixtures("to_ourselves")
def test_people_come_and_go_as_before(site, cache, fail, record_property):
    ada, grace, alan = site.people(first=0, count=3)
    there = Browser(site)
    there.sign_in("person0")
    before = one_by_one(ada)
    site.answers.clear()

    fail()
    during = one_by_one(ada)
    (late,) = site.people(first=3, count=1)
    leavers = [browser.copy() for browser in (ada, there, grace, late)]
    assert all(browser.is_signed_in() for browser in leavers)
    assert ada.post("/logout").status == 302
    assert grace.post("/logout/here").status == 302
    assert late.post("/logout/here").status == 302
    assert not any(browser.is_signed_in() for browser in leavers)

    cache.heal()
    wait_until(site.is_whole)
    assert not any(browser.is_signed_in() for browser in leavers)
    assert alan.is_signed_in()
    assert ada.sign_in("person0").status == 302

    assert {answer.status for answer in site.answers} == {200, 302}
    assert worst(site.answers) < WORST
    assert typical(during) < typical(before) + ADDED
    record_property("redis fails, nobody waits", f"before: {summary(before)}; after: {summary(during)}")


def test_limits_hold(site, fail):
    fail()
    stranger, most = Browser(site), limits.LOGIN_PER_NAME.most

    statuses = [stranger.sign_in("person4", "a wrong password").status for _ in range(most + 1)]

    assert statuses == [200] * most + [429]


@pytest.mark.usefixtures("to_ourselves")
def test_a_redis_that_hangs_costs_one_wait_for_all(site, cache, record_property):
    people = site.people(first=0, count=8)
    before = at_once(people, seconds=0.5)
    site.answers.clear()
    cache.pause()
    met_by_one = people[0].get("/account")
    Browser(site).sign_in("person9", "a wrong password")  # this meets the Redis of the limits, which is the same one

    during = at_once(people, seconds=COOL_DOWN + 0.5)

    # The second time is after the cool-down: one request tries Redis again on behalf of all.
    assert site.times_said("redis is away") == 2
    assert {answer.status for answer in site.answers} == {200}
    assert met_by_one.seconds >= 0.25
    assert worst(site.answers) < WORST
    assert typical(during) < typical(before) + ADDED
    record_property("redis hangs, eight at once", f"before: {summary(before)}; after: {summary(during)}")


def test_copies_from_before_a_sign_out_bring_nobody_back(site, cache):
    ada, grace = site.people(first=0, count=2)
    there, hers = Browser(site), Browser(site)
    there.sign_in("person0")
    hers.sign_in("person1")
    stolen = [ada.copy(), there.copy(), grace.copy()]
    with cache.client() as client:
        snapshot = {key: client.dump(key) for key in client.scan_iter()}
    ada.post("/logout")
    grace.post("/logout/here")

    restart(cache)
    with cache.client() as client:
        for key, value in snapshot.items():
            client.restore(key, 60_000, value)  # milliseconds
    assert site.is_whole()

    assert not any(browser.is_signed_in() for browser in stolen)
    assert hers.is_signed_in()
