"""Promise 6: a session ends 12 hours after sign-in; sign out everywhere means it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.models.session import stored_key
from accounts.session.store import SessionStore
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def is_signed_in(client):
    return client.get("/account").status_code == 200


def test_a_session_knows_its_owner_address_and_device(ada):
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    Client(headers={"User-Agent": agent}, REMOTE_ADDR="203.0.113.7").post(
        "/login", {"login": "ada", "password": PASSWORD}
    )

    row = Session.objects.get()

    assert (row.user, row.ip, row.device_name) == (ada, "203.0.113.7", "Firefox on Windows")
    assert row.expire_date - row.created_at == timedelta(hours=12)
    assert abs(row.created_at - timezone.now()) < timedelta(seconds=10)


def test_a_session_ends_12_hours_after_sign_in_however_much_it_is_used(ada):
    start = datetime.now(UTC)
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    assert 0 <= 12 * 3600 - client.cookies["frontdoor_session"]["max-age"] < 5

    for hours in (3, 6, 9, 11.9):
        with time_machine.travel(start + timedelta(hours=hours)):
            assert is_signed_in(client)
            client.post("/language", {"language": "ru", "next": "/account"})  # this request writes the session again
    with time_machine.travel(start + timedelta(hours=12, seconds=5)):
        assert not is_signed_in(client)


def test_a_copy_in_redis_outlives_no_deadline(ada):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=13)):
        page = client.get("/")  # Redis counts real time, so the copy is still there

    assert "Email me a link" in page.text
    assert page.cookies["frontdoor_session"]["max-age"] == 0


def test_signing_out_everywhere_ends_every_session_of_this_user_and_no_other(ada):
    devices = [Client() for _ in range(3)]
    for device in devices:
        device.post("/login", {"login": "ada", "password": PASSWORD})
    UserFactory(username="grace")
    other = Client()
    other.post("/login", {"login": "grace", "password": PASSWORD})

    answer = devices[0].post("/logout", follow=True)

    assert "You’re signed out on all your devices." in answer.text
    assert not any(map(is_signed_in, devices))
    assert is_signed_in(other)


def test_signing_out_here_leaves_the_other_devices(ada):
    here, there = Client(), Client()
    for device in (here, there):
        device.post("/login", {"login": "ada", "password": PASSWORD})

    assert "You’re signed out on this device." in here.post("/logout/here", follow=True).text

    assert not is_signed_in(here)
    assert is_signed_in(there)


def test_copies_that_come_back_with_redis_are_void(ada):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    key = Session.cache_key(stored_key(client.cookies["frontdoor_session"].value))
    copy = caches["sessions"].get(key)
    cookie = client.cookies["frontdoor_session"].value

    ada.end_sessions()
    caches["sessions"].set(key, copy)
    client.cookies["frontdoor_session"] = cookie

    assert copy
    assert not is_signed_in(client)
    assert not caches["sessions"].get(key)  # at most a mark that the session has ended


def test_a_new_password_ends_every_session(ada):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})

    ada.set_password("another horse battery staple")
    ada.save(update_fields=["password"])

    assert not is_signed_in(client)


MALFORMED = ["", "a", "x" * 31, "x" * 33, "X" * 32, "abcdefgh\\000" + "a" * 20, "é" * 16, "'; --" * 8]


def test_a_malformed_cookie_is_cleared_and_costs_no_look_up(django_assert_num_queries, subtests):
    for cookie in MALFORMED:
        with subtests.test(cookie=cookie):
            client = Client()
            client.cookies["frontdoor_session"] = cookie

            with django_assert_num_queries(0):
                page = client.get("/")

            assert page.status_code == 200
            assert "Email me a link" in page.text
            assert page.cookies["frontdoor_session"]["max-age"] == 0 if cookie else True


@pytest.mark.parametrize("state", ["foreign", "deleted user", "deactivated user"])
def test_a_stale_cookie_is_cleared_and_the_page_is_the_strangers(ada, state):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    if state == "foreign":
        client.cookies["frontdoor_session"] = "a" * 32
    elif state == "deleted user":
        ada.delete()
    else:
        User.objects.filter(pk=ada.pk).update(is_active=False)

    page = client.get("/")

    assert "Email me a link" in page.text
    assert page.cookies["frontdoor_session"]["max-age"] == 0


def test_a_reader_that_comes_late_brings_no_ended_session_back(ada, monkeypatch):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    key = client.cookies["frontdoor_session"].value
    caches["sessions"].delete(Session.cache_key(stored_key(key)))
    late = SessionStore(key)
    original = SessionStore.decode

    def slow(self, data):
        monkeypatch.setattr(SessionStore, "decode", original)
        SessionStore(key).delete()  # after the reader read the row, before it stores the copy
        return original(self, data)

    monkeypatch.setattr(SessionStore, "decode", slow)
    late.load()

    assert client.get("/account").status_code == 302


def test_ending_sessions_leaves_no_copy_and_a_fresh_epoch(signed_in, ada):
    key = signed_in.cookies["frontdoor_session"].value

    ada.end_sessions()

    assert caches["sessions"].get(Session.cache_key(stored_key(key))) is None
    assert ada.session_epoch == User.objects.get(pk=ada.pk).session_epoch == 1


def test_the_cookie_does_not_outlive_the_deadline(ada):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=6)):
        client.post("/language", {"language": "ru"})

    assert client.cookies["frontdoor_session"]["max-age"] <= 6 * 3600


@pytest.mark.parametrize("where", ["in Redis", "in PostgreSQL only"])
def test_a_strangers_session_is_kept_until_sign_in(where):
    """A visit to Google, for example, keeps its state in such a session."""
    store = SessionStore()
    store["state"] = "kept"
    store.save()
    if where == "in PostgreSQL only":
        caches["sessions"].delete(Session.cache_key(stored_key(store.session_key)))

    assert SessionStore(store.session_key)["state"] == "kept"


def test_a_session_that_was_just_made_is_looked_for_nowhere(django_assert_num_queries, cache_calls):
    store = SessionStore()
    store.create()
    key = store.session_key

    with django_assert_num_queries(0):
        store["state"] = "kept"

    assert store.session_key == key
    assert cache_calls == []


@pytest.mark.parametrize("stored", ["row", "copy"])
def test_what_is_stored_of_a_session_opens_nothing(signed_in, stored):
    """Whoever reads a backup of PostgreSQL or Redis finds no key that a cookie could hold."""
    key = signed_in.cookies["frontdoor_session"].value
    assert not Session.objects.filter(session_key=key).exists()
    assert caches["sessions"].get(f"session:{key}") is None
    thief = Client()

    thief.cookies["frontdoor_session"] = Session.objects.get().session_key[: 32 if stored == "row" else 64]

    assert thief.get("/account").status_code == 302
    assert thief.get("/auth/verify").status_code == 401


UNREADABLE = [b"\x80", "", 1, [1], {"deadline": "x"}, {"chosen": 5}, {"proof": 1}, {"_auth_user_id": 7}]


@pytest.mark.parametrize("value", UNREADABLE)
def test_a_copy_that_is_none_is_passed_over(signed_in, ada, value):
    name = Session.cache_key(stored_key(signed_in.cookies["frontdoor_session"].value))
    redis = caches["sessions"].client.get_client(write=True)
    full = caches["sessions"].client.make_key(name)
    redis.set(full, value if isinstance(value, bytes) else json.dumps(value))

    assert signed_in.get("/account").status_code == 200
    assert signed_in.post("/account/username", {"username": "newname"}).status_code == 302
    assert signed_in.get("/auth/verify").status_code == 204
