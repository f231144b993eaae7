"""What apps read before anything else: it is the same everywhere, and holds what it promises."""

import json

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve

from sso import keys, limits
from sso.models import App

pytestmark = pytest.mark.django_db

DISCOVERY, OAUTH, JWKS = (
    f"/.well-known/{name}" for name in ("openid-configuration", "oauth-authorization-server", "jwks.json")
)


def test_both_addresses_promise_the_same_whatever_host_asks(settings):
    settings.ALLOWED_HOSTS = ["*"]

    answers = [
        Client(SERVER_NAME=host).get(path) for host in ("localhost", "evil.example") for path in (DISCOVERY, OAUTH)
    ]

    assert len({answer.content for answer in answers}) == 1
    assert b"evil" not in answers[0].content
    promises = answers[0].json()
    assert promises["issuer"] == settings.SITE_URL
    assert set(answers[0].headers["Cache-Control"].split(", ")) == {"public", "max-age=300"}
    assert answers[0].headers["Access-Control-Allow-Origin"] == "*"
    for name, value in promises.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(f"{settings.SITE_URL}/"), name


def test_only_what_is_kept_is_promised():
    promises = Client().get(DISCOVERY).json()

    assert promises["response_types_supported"] == ["code"]
    assert promises["response_modes_supported"] == ["query"]
    assert promises["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert promises["code_challenge_methods_supported"] == ["S256"]
    assert promises["id_token_signing_alg_values_supported"] == ["RS256"]
    assert not any(promises[f"{name}_parameter_supported"] for name in ("claims", "request", "request_uri"))
    assert not {"registration_endpoint", "device_authorization_endpoint"} & set(promises)


def test_what_is_promised_is_there():
    promises = Client().get(DISCOVERY).json()
    missing = set()
    for name, value in promises.items():
        if name.endswith(("_endpoint", "jwks_uri")):
            try:
                resolve(value.removeprefix(settings.SITE_URL))
            except Resolver404:
                missing.add(name)

    assert missing == set()


def test_the_claims_that_are_promised_are_told(grafana):
    promises = Client().get(DISCOVERY).json()

    told = grafana.read(grafana.tokens()["id_token"])

    assert set(told) == set(promises["claims_supported"])
    assert told["acr"] in promises["acr_values_supported"]
    assert set(grafana.app.scopes) <= set(promises["scopes_supported"])


def test_keys_are_published_without_their_private_parts():
    answer = Client().get(JWKS)

    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "n", "e", "use", "alg", "kid"}
    assert (key["use"], key["alg"], key["kty"]) == ("sig", "RS256", "RSA")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(answer.headers["Cache-Control"].split(", ")) == {"public", "max-age=300"}
    assert keys.SIGNS_AFTER.total_seconds() > 2 * 300


def test_no_door_asks_the_session(grafana, django_assert_num_queries):
    Client().get(JWKS)
    for path, statements in ((DISCOVERY, 0), (JWKS, 0)):
        with django_assert_num_queries(statements):
            answer = grafana.browser.get(path)
        assert not answer.cookies


def test_nothing_of_the_engines_own_is_open():
    for path in ("device/code", "clients"):
        assert Client().post(f"/identity/o/api/{path}").status_code == 404
    assert Client().get("/identity/o/device").status_code == 404


def test_other_methods_are_refused_and_head_is_none():
    assert Client().post(JWKS).status_code == 405
    assert Client().head(JWKS).status_code == 200


def test_floods_are_held_up(monkeypatch):
    monkeypatch.setattr(limits, "DISCOVERY_PER_NETWORK", limits.Limit("discovery", "2/10m"))
    client = Client(REMOTE_ADDR="192.0.2.10")

    assert [client.get(JWKS).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(JWKS).json()["error"] == "temporarily_unavailable"
    assert client.get(JWKS).headers["Cache-Control"] == "no-store"


def test_apps_are_named_nowhere(app):
    assert App.objects.exists()
    for path in (DISCOVERY, JWKS):
        assert app.pk not in json.dumps(Client().get(path).json())
