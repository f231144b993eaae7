"""What a token is worth, and how an app gives it back (RFC 7662, RFC 7009)."""

import pytest
from django.conf import settings

from tests.sso.relying import INTROSPECT, REVOKE, Relying
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def wiki(grafana):
    return Relying(AppFactory(name="Wiki"), grafana.browser)


def test_an_app_learns_what_its_tokens_are_worth(grafana, ada):
    tokens = grafana.tokens(scopes=("openid", "email"))

    access = grafana.post(INTROSPECT, token=tokens["access_token"])
    refresh = grafana.post(INTROSPECT, token=tokens["refresh_token"]).json()

    told = access.json()
    assert told["exp"] - told["iat"] == 600
    expected = {"active": True, "client_id": grafana.app.pk, "iss": settings.SITE_URL, "sub": str(ada.pk)}
    assert expected.items() <= told.items()
    assert (told["scope"], told["token_type"]) == ("openid email", "Bearer")
    assert expected.items() <= refresh.items()
    assert "exp" not in refresh
    assert access.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_the_hint_changes_nothing(grafana, hint):
    tokens = grafana.tokens()

    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert grafana.post(INTROSPECT, token=token, token_type_hint=hint).json()["active"]


def test_foreign_and_unknown_tokens_are_inactive_and_nothing_else(grafana, wiki):
    tokens = grafana.tokens()

    for token in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"], "x", "x.y", "ey.ey.x"):
        answer = wiki.post(INTROSPECT, token=token)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    assert not grafana.is_active(tokens["id_token"])


def test_a_token_must_be_named(grafana):
    for path in (INTROSPECT, REVOKE):
        assert (grafana.post(path).status_code, grafana.post(path).json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_a_token_given_back_ends_the_whole_login(grafana, which, hint):
    tokens = grafana.tokens()
    other = grafana.tokens()  # of another login

    answer = grafana.post(REVOKE, token=tokens[which], token_type_hint=hint)

    assert (answer.status_code, answer.content) == (200, b"")
    assert not grafana.is_active(tokens["access_token"])
    assert not grafana.is_active(tokens["refresh_token"])
    assert grafana.refresh(tokens["refresh_token"]).status_code == 400
    assert grafana.is_active(other["access_token"])


def test_a_refresh_token_that_was_spent_may_be_given_back(grafana):
    """The answer with its successor may have been lost."""
    tokens = grafana.tokens()
    newer = grafana.refresh(tokens["refresh_token"]).json()

    grafana.post(REVOKE, token=tokens["refresh_token"])

    assert not grafana.is_active(newer["refresh_token"])


def test_nobody_gives_back_what_is_anothers(grafana, wiki):
    tokens = grafana.tokens()

    for token in (tokens["access_token"], tokens["refresh_token"], "x"):
        assert wiki.post(REVOKE, token=token).status_code == 200
        assert wiki.server.post(REVOKE, {"token": token}).status_code == 401

    assert grafana.is_active(tokens["access_token"])
    assert grafana.refresh(tokens["refresh_token"]).status_code == 200
