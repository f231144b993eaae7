"""What the desk's page of an app says of its last request that was refused."""

import pytest
from django.core.cache import cache

from sso import went_wrong
from tests.tools.factories import APP_SECRET, AppFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

AUTHORIZE, TOKEN = "/identity/o/authorize", "/identity/o/api/token"
CALLBACK = "https://app.example/callback"


@pytest.fixture
def app(db):
    return AppFactory(pk="grafana1")


def ask(client, **more):
    client.get(AUTHORIZE, {"client_id": "grafana1", "redirect_uri": CALLBACK, "response_type": "code"} | more)


def swap(client, secret, **more):
    form = {"client_id": "grafana1", "client_secret": secret, "grant_type": "authorization_code"}
    client.post(TOKEN, form | more)


@pytest.mark.parametrize(
    ("send", "said"),
    [
        (lambda c: ask(c, redirect_uri="https://evil.example/"), "redirect_uri is none of the addresses"),
        (lambda c: ask(c, scope="openid"), "code_challenge is missing"),
        (lambda c: swap(c, "wrong"), "the client secret is wrong"),
        (lambda c: swap(c, APP_SECRET), "The field code is missing."),
    ],
)
def test_the_page_of_an_app_says_what_went_wrong_last(client, desk, app, send, said):
    page = f"/admin/sso/app/{app.pk}/change/"
    assert "What last went wrong" not in words(desk.get(page))
    send(client)
    shown = words(desk.get(page))
    assert "What last went wrong, " in shown
    assert f"in words for developers: {said}" in shown
    assert went_wrong.last("unknown") is None


def test_what_people_answer_is_not_wrong(client, app):
    ask(client, scope="openid", prompt="none", code_challenge="x" * 43, code_challenge_method="S256")
    assert went_wrong.last(app.pk) is None


def test_a_flood_is_noted_once_in_some_seconds(app):
    went_wrong.note(app.pk, "one")
    went_wrong.note(app.pk, "two")
    assert went_wrong.last(app.pk).what == "one"
    cache.delete(f"app-wrong-now:{app.pk}")
    went_wrong.note(app.pk, "two")
    assert went_wrong.last(app.pk).what == "two"


def test_what_nobody_of_ours_has_stored_is_not_read(app):
    for stored in ("x", 1, ["a", "b"], ["a", 1]):
        cache.set(f"app-wrong:{app.pk}", stored, 60)
        assert went_wrong.last(app.pk) is None
