"""Promise 9: Redis gone, pages answer from the database, limits hold per process, sign-in works."""

import pytest
from django.core.cache import caches
from django.test import Client

import config.failover.cache
from accounts.models import Session
from accounts.models.session import stored_key
from tests.tools.factories import PASSWORD
from tests.tools.tries import use_up_tries

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(params=["closed_port", "black_hole"])
def redis_away(request, move_redis):
    move_redis(request.getfixturevalue(request.param))


def test_signing_in_and_out_works(redis_away, ada):
    client = Client()

    assert client.post("/login", {"login": "ada", "password": PASSWORD}).url == "/account"
    assert client.get("/account").status_code == 200
    assert client.post("/logout").status_code == 302
    assert client.get("/account").status_code == 302


def test_a_session_from_before_goes_on(signed_in, move_redis, closed_port):
    move_redis(closed_port)

    assert signed_in.get("/account").status_code == 200


def test_the_whole_way_in_works(redis_away, client, mailbox):
    client.post("/", {"email": "grace@example.com"})
    link = mailbox.link("grace@example.com")
    form = {"token": link.partition("token=")[2], "username": "grace", "password": PASSWORD}

    assert client.post("/signup", form).url == "/account"
    assert client.get("/account").status_code == 200


def test_the_way_in_by_google_works(redis_away, client, google):
    client.get(google.consent(client.post("/google").url))

    assert client.get("/account").status_code == 200


def test_limits_hold_in_this_process(redis_away, ada):
    use_up_tries()

    assert Client().post("/login", {"login": "ada", "password": PASSWORD}).status_code == 429


def test_mails_are_counted_in_this_process(redis_away):
    statuses = [Client().post("/", {"email": f"ada+{n}@example.com"}).status_code for n in range(8)]

    assert statuses == [302] * 6 + [429] * 2


def test_only_the_first_waits_for_a_redis_that_hangs(move_redis, black_hole, signed_in):
    move_redis(black_hole)
    signed_in.get("/account")
    tried_at = {address: breaker.retry_at for address, breaker in config.failover.cache.breakers.items()}

    for _ in range(5):
        signed_in.get("/account")

    assert any(tried_at.values())
    assert {address: breaker.retry_at for address, breaker in config.failover.cache.breakers.items()} == tried_at


def test_redis_is_used_again_when_it_is_back(settings, signed_in, move_redis, closed_port):
    there = settings.CACHES
    move_redis(closed_port)
    signed_in.get("/account")
    settings.CACHES = there

    assert signed_in.get("/account").status_code == 200
    assert caches["sessions"].get(Session.cache_key(stored_key(signed_in.cookies["frontdoor_session"].value)))


def test_a_session_ended_while_redis_is_away_stays_ended_when_it_is_back(settings, ada, move_redis, closed_port):
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/login", {"login": "ada", "password": PASSWORD})
    cookie = here.cookies["frontdoor_session"].value
    with_redis = settings.CACHES

    move_redis(closed_port)
    here.post("/logout/here")
    settings.CACHES = with_redis
    here.cookies["frontdoor_session"] = cookie

    assert here.get("/account").status_code == 302
    assert there.get("/account").status_code == 200


def test_proxies_hear_of_an_end_at_once(redis_away, signed_in, ada):
    assert signed_in.get("/auth/verify").status_code == 204

    ada.end_sessions()

    assert signed_in.get("/auth/verify").status_code == 401


def test_ready_without_redis_and_says_so(client, redis_away):
    page = client.get("/readyz")

    assert page.status_code == 200
    assert page.json() == {"database": True, "cache": False, "mail": True, "hashes": 0}
