"""What of the engine is not its public interface, and must be where it was."""

from allauth.core.internal import jwkkit
from allauth.idp.oidc import views
from allauth.idp.oidc.internal.oauthlib import authorization_codes, request_validator, server, utils
from allauth.idp.oidc.models import Client
from django.http import HttpRequest

from sso import engine, keys


def test_the_engine_loads_keys_by_our_loader():
    for module in (views, request_validator, server):
        assert module.jwkkit is jwkkit
    assert jwkkit.load_jwk_from_pem is keys.load


def test_a_key_is_loaded_once():
    pem = keys.new_pem()

    assert keys.load(pem)[1] is keys.load(pem)[1]


def test_our_loader_names_a_key_as_the_engine_does():
    pem = keys.new_pem()
    loaded = jwkkit.load_pem(pem)

    public, private = keys.load(pem)

    assert private.public_key() == loaded.public_key()
    assert public["kid"] == jwkkit.jwk_thumbprint(public)


def test_the_engine_keeps_codes_where_we_hand_them_over():
    """It writes into the one name that we replace, and reads what it wrote from there."""
    token = engine._code.set({})
    try:
        authorization_codes.cache.set("key", {"code": {"code": "x"}}, timeout=60)

        assert authorization_codes.lookup("client", "x") == {"code": {"code": "x"}}
        authorization_codes.invalidate("client", "x")
        assert authorization_codes.lookup("client", "x") is None
    finally:
        engine._code.reset(token)


def test_the_engine_remembers_the_clients_that_it_looked_up():
    client = Client(id="known")
    with engine._about(client, HttpRequest()):
        validator = request_validator.OAuthLibRequestValidator()

        assert validator._lookup_client(None, "known") is client
        assert utils.get_validator_context().clients == {"known": client}
