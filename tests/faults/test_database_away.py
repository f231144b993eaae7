"""Promise 9: PostgreSQL gone, a plain page that says when to come back; and recovery without a restart."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection
from django.test import Client

from tests.tools.factories import PASSWORD
from tests.tools.reading import words

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(params=["closed_port", "black_hole"])
def database_away(request):
    """Takes the database away, and gives a function that brings it back."""
    host, port = request.getfixturevalue(request.param)
    there = connection.settings_dict.copy()
    connection.close()
    connection.settings_dict.update(HOST=host, PORT=port)
    connection.settings_dict["OPTIONS"] = there["OPTIONS"] | {"connect_timeout": 1}

    def bring_back():
        connection.close()
        connection.settings_dict.update(there)

    yield bring_back
    bring_back()


def at_once(*asks):
    """Calls all functions side by side, as each may wait for a silent database; returns their answers."""
    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(lambda ask: ask(), asks))


def test_a_lost_database_is_a_plain_page_and_recovery_needs_no_restart(signed_in, database_away):
    client = Client(raise_request_exception=False)
    client.cookies["frontdoor_session"] = signed_in.cookies["frontdoor_session"].value

    page, ready, verified = at_once(*(partial(client.get, path) for path in ("/account", "/readyz", "/auth/verify")))
    assert page.status_code == 503
    assert page["Retry-After"] == "120"
    assert "Sign-in is paused" in words(page)
    assert "no-store" in page["Cache-Control"]
    assert ready.status_code == 503
    assert verified.status_code == 503  # with this answer proxies let nobody in
    assert client.get("/healthz").status_code == 200
    assert Client().get("/").status_code == 200  # this page needs no database

    database_away()
    assert client.get("/account").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_press_without_a_database_is_a_503_too(ada, database_away):
    client = Client(raise_request_exception=False)

    forms = {"/login": {"login": "ada", "password": PASSWORD}, "/": {"email": "a@example.com"}}
    answers = at_once(*(partial(client.post, path, form) for path, form in forms.items()))

    assert [answer.status_code for answer in answers] == [503, 503]
