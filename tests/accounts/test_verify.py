"""Forward-auth: /auth/verify says fast whose request it is, and ended sessions count at once."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session, User
from accounts.models.session import stored_key
from accounts.session.store import SessionStore
from tests.tools import phone
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.django_db

VERIFY, SIGN_IN = "/auth/verify", "/auth/verify?sign-in"


def status(client):
    return client.get(VERIFY).status_code


def test_headers_say_who_is_signed_in(signed_in, ada):
    answer = signed_in.get(VERIFY)

    row = Session.objects.get()
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["X-Auth-User-Id"] == str(ada.pk)
    assert (answer["X-Auth-Username"], answer["X-Auth-Email"]) == ("ada", "ada@example.com")
    ends = datetime.strptime(answer["X-Auth-Session-Ends"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(0) <= row.expire_date - ends < timedelta(seconds=1)


GROUPS = [
    ([], ""),
    (["Writers", "Editors"], "Editors,Writers"),
    (["Sales, EU", "50% off"], "50%25%20off,Sales%2C%20EU"),
    (["Ред\u043aция"], "%D0%A0%D0%B5%D0%B4%D0%BA%D1%86%D0%B8%D1%8F"),
    (["a\r\nX-Auth-User-Id: 1", " b "], "%20b%20,a%0D%0AX-Auth-User-Id%3A%201"),
]


@pytest.mark.parametrize(("names", "header"), GROUPS)
def test_a_header_names_the_groups(signed_in, ada, names, header):
    ada.groups.set([Group.objects.create(name=name) for name in names])

    answer = signed_in.get(VERIFY)

    assert answer["X-Auth-Groups"] == header
    assert sorted(unquote(part) for part in header.split(",") if part) == sorted(names)


def test_a_group_counts_with_the_next_request(signed_in, ada):
    editors = Group.objects.create(name="Editors")
    for change, header in ((ada.groups.add, "Editors"), (ada.groups.remove, "")):
        change(editors)
        assert signed_in.get(VERIFY)["X-Auth-Groups"] == header


def test_a_stranger_gets_401_and_no_headers(client):
    answer = client.get(VERIFY)

    assert (answer.status_code, answer.content) == (401, b"")
    assert not [name for name in answer.headers if name.startswith("X-Auth")]


@pytest.mark.parametrize("state", ["signed in", "stranger", "led to sign in", "wrong method"])
def test_no_answer_may_be_cached_or_sets_a_cookie(client, signed_in, state):
    asks = {
        "signed in": lambda: signed_in.get(VERIFY),
        "stranger": lambda: client.get(VERIFY),
        "led to sign in": lambda: client.get(SIGN_IN),
        "wrong method": lambda: client.post(VERIFY),
    }

    answer = asks[state]()

    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


def test_head_is_answered_as_get_is(signed_in, client):
    assert signed_in.head(VERIFY).headers.items() >= {"X-Auth-Username": "ada"}.items()
    assert client.head(VERIFY).status_code == 401


def test_other_methods_are_405(signed_in, subtests):
    for method in ("post", "put", "patch", "delete", "options"):
        with subtests.test(method):
            answer = getattr(signed_in, method)(VERIFY)

            assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


# Where to sign in


@pytest.mark.parametrize("header", ["X-Forwarded-Uri", "X-Original-URI"])
def test_a_stranger_is_led_to_sign_in_and_back_where_the_proxy_asks_for_it(client, header):
    answer = client.get(SIGN_IN, headers={header: "/app/?a=1&b=%20c"})

    assert (answer.status_code, answer.url) == (302, "/login?next=/app/%3Fa%3D1%26b%3D%2520c")


def test_the_sign_in_page_leads_back(ada, client):
    way = client.get(SIGN_IN, headers={"X-Forwarded-Uri": "/app/?a=1&b=%20c"}).url
    field = re.search(r'name="next" value="([^"]*)"', client.get(way).text)[1].replace("&amp;", "&")

    answer = client.post("/login", {"login": "ada", "password": PASSWORD, "next": field})

    assert answer.url == "/app/?a=1&b=%20c"


ELSEWHERE = [
    "",
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:a()",
    "/" + "a" * 3000,
    "/\x7f",
]


def test_no_answer_leads_to_another_site(subtests):
    for uri in ELSEWHERE:
        with subtests.test(uri=uri):
            assert Client().get(SIGN_IN, headers={"X-Forwarded-Uri": uri}).url == "/login"


def test_x_forwarded_host_is_not_believed(client):
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Uri": "/app"}

    assert client.get(SIGN_IN, headers=headers).url == "/login?next=/app"


def test_a_signed_in_user_is_not_led_to_sign_in(signed_in):
    assert signed_in.get(SIGN_IN).status_code == 204


def test_a_site_that_is_all_https_is_asked_over_http(settings):
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get("/login").status_code == 301
    assert status(Client()) == 401


# Sessions that do not count


def end_everywhere(ada):
    ada.end_sessions()


def end_the_row(ada):
    ada.sessions.all().delete()


def move_the_epoch(ada):
    User.objects.update(session_epoch=1)


def deactivate(ada):
    User.objects.update(is_active=False)


def delete(ada):
    ada.delete()


def change_the_password(ada):
    ada.set_password("another horse battery staple")
    ada.save()


ENDS = [end_everywhere, end_the_row, move_the_epoch, deactivate, delete, change_the_password]


@pytest.mark.parametrize("end", ENDS)
def test_revocation_counts_at_once_whatever_redis_holds(signed_in, ada, end):
    key = Session.cache_key(stored_key(signed_in.cookies["frontdoor_session"].value))
    copy = caches["sessions"].get(key)
    assert copy
    assert status(signed_in) == 204

    end(ada)
    caches["sessions"].set(key, copy)

    assert status(signed_in) == 401


def test_signing_out_here_ends_it_here_only(signed_in, ada):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    key = signed_in.cookies["frontdoor_session"].value

    signed_in.post("/logout/here")
    signed_in.cookies["frontdoor_session"] = key

    assert (status(signed_in), status(other)) == (401, 204)


def test_a_session_ends_after_twelve_hours(signed_in):
    now = datetime.now(UTC)

    with time_machine.travel(now + timedelta(hours=11.9)):
        assert status(signed_in) == 204
    with time_machine.travel(now + timedelta(hours=12, seconds=5)):
        assert status(signed_in) == 401


def test_a_new_key_ends_no_session_while_the_old_one_is_a_fallback(signed_in, settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "new-" * 20

    assert status(signed_in) == 401
    settings.SECRET_KEY_FALLBACKS = [old]
    assert status(signed_in) == 204


def test_a_session_of_a_removed_backend_is_refused(signed_in, settings):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]

    assert status(signed_in) == 401


def test_a_visitor_who_still_owes_a_code_is_not_signed_in(ada, client):
    phone.pair(ada)

    client.post("/login", {"login": "ada", "password": PASSWORD})

    assert client.cookies["frontdoor_session"].value
    assert status(client) == 401


def test_a_strangers_session_signs_nobody_in(client):
    store = SessionStore()
    store["state"] = "kept"
    store.save()
    client.cookies["frontdoor_session"] = store.session_key

    assert status(client) == 401


NO_IDS = ["a", "x" * 33, "X" * 32, "é" * 16, "abcdefgh\\000" + "a" * 20, "a" * 32 + "\\012"]


def test_an_invalid_session_id_gets_401_and_costs_no_statement(django_assert_num_queries, subtests):
    for cookie in NO_IDS:
        with subtests.test(cookie=cookie):
            client = Client()
            client.cookies["frontdoor_session"] = cookie

            with django_assert_num_queries(0):
                assert status(client) == 401


# The cost of an answer


def crowd():
    """Stores and analyzes so many people and sessions that PostgreSQL plans to find one by an index."""
    people = [User(username=f"p{n}", email=f"p{n}@example.com", password="!") for n in range(2000)]
    User.objects.bulk_create(people)
    ends = timezone.now() + timedelta(hours=1)
    Session.objects.bulk_create(
        Session(session_key=f"{n:032d}", session_data="", expire_date=ends, user=person)
        for n, person in enumerate(people)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user, accounts_session")


def test_an_answer_costs_one_statement_by_index_and_nothing_of_redis(signed_in, cache_calls):
    crowd()
    cache_calls.clear()
    with CaptureQueriesContext(connection) as captured:
        assert status(signed_in) == 204

    assert cache_calls == []
    assert len(captured) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("Index Scan using") == 2
    assert "Index Cond: ((session_key)::text = " in plan
    assert "Index Cond: (id = accounts_session.user_id)" in plan


def test_an_answer_costs_the_same_when_redis_has_lost_its_copy(signed_in, cache_calls, django_assert_num_queries):
    caches["sessions"].clear()
    cache_calls.clear()

    with django_assert_num_queries(1):
        assert status(signed_in) == 204
    assert cache_calls == []


def test_a_stranger_costs_nothing(client, cache_calls, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get(VERIFY).status_code == 401
        assert client.get(SIGN_IN).status_code == 302
    assert cache_calls == []


@pytest.mark.parametrize("end", [move_the_epoch, deactivate])
def test_a_session_that_no_longer_counts_is_left_as_it_is(signed_in, ada, end, django_assert_num_queries):
    end(ada)
    before = Session.objects.values().get()

    with django_assert_num_queries(1):
        assert status(signed_in) == 401

    assert Session.objects.values().get() == before


# Headers hold plain ASCII


@pytest.mark.parametrize("value", ["eve\r\nx-auth-user-id: 1@example.com", "é@example.com", "a\x00b@example.com"])
def test_no_stored_value_can_write_a_header_of_its_own(value):
    from accounts.session.identity import plain  # noqa: PLC0415 PostgreSQL takes no NUL, so not all can be stored

    said = plain(value)

    assert said.isascii()
    assert said.isprintable()


def test_an_address_that_was_written_past_the_rules_is_percent_encoded(signed_in):
    User.objects.update(email="zoë\r\n@example.com")

    assert signed_in.get(VERIFY)["X-Auth-Email"] == "zo%C3%AB%0D%0A%40example.com"


def test_a_cookie_whose_name_only_looks_right_signs_nobody_in(signed_in, client, subtests):
    """Browsers do not apply the rules for __Host- to such a name, and Django strips the space."""
    key = signed_in.cookies["frontdoor_session"].value
    for space in ("\u2000", "\u00a0", "\u3000", "\x85", "\x1f"):
        with subtests.test(space=space):
            disguised = f"{space}frontdoor_session".encode().decode("latin-1")  # the encoding of WSGI
            alone, beside = f"{disguised}={key}", f"theme=dark; frontdoor_session={key}; {disguised}={'0' * 32}"

            for path, refused in (("/auth/verify", 401), ("/api/v1/auth/session", 401), ("/account", 302)):
                assert client.get(path, HTTP_COOKIE=alone).status_code == refused
                assert client.get(path, HTTP_COOKIE=beside).status_code < 300
