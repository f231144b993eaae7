"""How many SQL statements and cache calls a page may cost."""

import pytest
from django.conf import settings

from accounts.models import Session
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/invite/sent"])
def test_a_strangers_page_costs_no_sql_and_no_cache_call(client, cache_calls, django_assert_num_queries, path):
    with django_assert_num_queries(0):
        assert client.get(path).status_code == 200
    assert cache_calls == []


@pytest.mark.parametrize("path", ["/", "/reset"])
def test_asking_for_a_link_counts_in_one_round_trip(client, cache_calls, path):
    client.post(path, {"email": "grace@example.com"})

    assert cache_calls == ["take"]  # the network's requests, and all that is counted by mail


@pytest.mark.parametrize("path", ["/login", "/api/v1/auth/login"])
def test_signing_in_takes_three_round_trips_to_redis(client, ada, cache_calls, path):
    kind = {"content_type": "application/json"} if path.startswith("/api") else {}
    client.post("/login", {"login": "ada", "password": PASSWORD})
    del client.cookies[settings.SESSION_COOKIE_NAME]
    cache_calls.clear()

    client.post(path, {"login": "ada", "password": PASSWORD}, **kind)

    assert cache_calls == ["take", "give_back", "set"]  # tries of the name and the network; the session


def test_who_is_this_costs_one_cache_read_and_two_statements(client, signed_in, cache_calls, django_assert_num_queries):
    cache_calls.clear()
    with django_assert_num_queries(2):  # the account, and its groups
        assert signed_in.get("/api/v1/auth/session").status_code == 200
    assert cache_calls == ["get"]
    with django_assert_num_queries(0):
        assert client.get("/api/v1/auth/session").status_code == 401
    assert cache_calls == ["get"]


def test_the_account_page_costs_five_statements_and_one_cache_read(signed_in, cache_calls, django_assert_num_queries):
    cache_calls.clear()
    with django_assert_num_queries(5):
        assert signed_in.get("/account").status_code == 200
    assert cache_calls == ["get"]


def test_the_account_page_costs_the_same_with_many_sessions(signed_in, ada, django_assert_num_queries):
    row = Session.objects.get()
    Session.objects.bulk_create(
        Session(session_key=f"{n:032d}", session_data="", expire_date=row.expire_date, user=ada) for n in range(300)
    )
    with django_assert_num_queries(5):
        page = signed_in.get("/account")
    assert page.text.count("<li>") <= 111


def test_the_start_page_of_a_person_costs_one_statement_and_one_cache_read(
    signed_in, cache_calls, django_assert_num_queries
):
    cache_calls.clear()
    with django_assert_num_queries(1):  # who is asking, and whether there are apps
        assert signed_in.get("/").status_code == 200
    assert cache_calls == ["get"]


def test_a_signed_in_page_does_not_write_the_session(signed_in, django_assert_num_queries):
    before = Session.objects.values().get()
    signed_in.get("/account")
    signed_in.get("/")

    assert Session.objects.values().get() == before
