"""A refresh token is spent for its successor; a spent one that comes back ends them all (RFC 6749 §6, RFC 9700)."""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.utils import timezone

from sso.models import Login
from sso.tokens.refresh import GRACE
from tests.sso.relying import Relying
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db


def is_refused(answer, error="invalid_grant"):
    return (answer.status_code, answer.json()["error"]) == (400, error)


def after_grace():
    Login.objects.update(refreshed_at=timezone.now() - GRACE - timedelta(seconds=1))


def test_each_refresh_gives_new_tokens(grafana):
    first = grafana.tokens()

    second = grafana.refresh(first["refresh_token"]).json()
    third = grafana.refresh(second["refresh_token"]).json()

    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    assert grafana.userinfo(third["access_token"]).status_code == 200
    assert Token.objects.filter(type=Token.Type.REFRESH_TOKEN).count() == 1


def test_the_id_token_of_a_refresh_says_the_same_but_no_nonce(grafana):
    first = grafana.tokens()
    second = grafana.refresh(first["refresh_token"]).json()

    before, after = grafana.read(first["id_token"]), grafana.read(second["id_token"])

    for name in ("sub", "aud", "iss", "auth_time", "sid", "acr", "amr"):
        assert before[name] == after[name]
    assert "nonce" not in after


def test_a_spent_token_works_a_little_longer(grafana):
    first = grafana.tokens()
    second = grafana.refresh(first["refresh_token"]).json()

    twin = grafana.refresh(first["refresh_token"])

    assert twin.status_code == 200
    assert grafana.is_active(second["refresh_token"])
    assert grafana.is_active(twin.json()["refresh_token"])


def test_of_twins_the_one_that_is_not_used_first_ends_all(grafana):
    first = grafana.tokens()
    second = grafana.refresh(first["refresh_token"]).json()
    twin = grafana.refresh(first["refresh_token"]).json()
    assert grafana.refresh(second["refresh_token"]).status_code == 200

    assert is_refused(grafana.refresh(twin["refresh_token"]))

    assert Login.objects.get().ended_at
    assert not Token.objects.exists()


def test_a_spent_token_that_comes_late_ends_all(grafana):
    first = grafana.tokens()
    second = grafana.refresh(first["refresh_token"]).json()
    after_grace()

    assert is_refused(grafana.refresh(first["refresh_token"]))

    assert grafana.userinfo(second["access_token"]).status_code == 401
    assert is_refused(grafana.refresh(second["refresh_token"]))


def test_a_token_spent_long_ago_ends_all(grafana):
    """A thief who refreshes twice at once must not be safe from whoever still has the token that was stolen."""
    first = grafana.tokens()
    second = grafana.refresh(first["refresh_token"]).json()
    third = grafana.refresh(second["refresh_token"]).json()

    assert is_refused(grafana.refresh(first["refresh_token"]))

    assert is_refused(grafana.refresh(third["refresh_token"]))


def test_the_token_of_another_app_is_refused_and_stays(grafana):
    tokens = grafana.tokens()
    other = Relying(AppFactory(name="Wiki"), grafana.browser)

    assert is_refused(other.refresh(tokens["refresh_token"]))
    assert grafana.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["x", "x.y", ".", "ü.%00", "." * 500])
def test_an_unknown_token_is_refused(grafana, token):
    grafana.tokens()

    assert is_refused(grafana.refresh(token))
    assert Login.objects.get().ended_at is None


def test_the_token_must_be_named(grafana):
    assert is_refused(grafana.refresh(""), "invalid_request")


def test_fewer_scopes_hold_for_one_access_token(grafana):
    first = grafana.tokens()

    narrow = grafana.refresh(first["refresh_token"], scope="openid").json()
    whole = grafana.refresh(narrow["refresh_token"]).json()

    assert narrow["scope"] == "openid"
    assert set(grafana.userinfo(narrow["access_token"]).json()) == {"sub"}
    assert "email" in grafana.userinfo(whole["access_token"]).json()


@pytest.mark.parametrize("scope", ["openid email groups", "openid offline_access", "openid nonsense"])
def test_more_scopes_are_refused_and_cost_nothing(grafana, scope):
    first = grafana.tokens(scopes=("openid", "email"))

    assert is_refused(grafana.refresh(first["refresh_token"], scope=scope), "invalid_scope")
    assert grafana.refresh(first["refresh_token"]).status_code == 200
