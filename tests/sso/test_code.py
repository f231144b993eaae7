"""A code is spent for tokens, once, by the app for which it was made (RFC 6749 §4.1, RFC 7636, RFC 9700)."""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from sso.models import Bound, Login
from sso.models.login import CODE_LASTS
from tests.sso.relying import Relying, challenge
from tests.tools.factories import APP_SECRET, AppFactory

pytestmark = pytest.mark.django_db


def test_a_code_gives_tokens_that_say_who_it_is(grafana, ada):
    answer = grafana.answer(nonce="n/ö %&+ 1", state="s &ü=%")

    tokens = grafana.spend(answer["code"])

    assert answer["state"] == "s &ü=%"
    assert answer["iss"] == settings.SITE_URL
    assert tokens.status_code == 200, tokens.content
    assert tokens.headers["Cache-Control"] == "no-store"
    claims = grafana.read(tokens.json()["id_token"])
    assert claims["sub"] == str(ada.pk)
    assert claims["nonce"] == "n/ö %&+ 1"
    assert claims["preferred_username"] == claims["name"] == "ada"
    login = Login.objects.get()
    assert claims["auth_time"] == int(login.auth_time.timestamp())
    assert claims["sid"] == login.sid
    assert (claims["acr"], claims["amr"]) == (f"{settings.SITE_URL}/acr/one-factor", ["pwd"])
    assert claims["exp"] - claims["iat"] == 3600
    assert tokens.json()["expires_in"] == 600
    assert tokens.json()["token_type"] == "Bearer"
    assert grafana.userinfo(tokens.json()["access_token"]).json()["email"] == ada.email


def test_state_of_2000_letters_comes_back_unchanged(grafana):
    state = "ä" * 500 + "%20&=+" * 250

    assert grafana.answer(state=state)["state"] == state


def is_refused(answer, error="invalid_grant"):
    return (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_code_used_again_ends_the_tokens_of_the_first_use(grafana):
    code = grafana.code()
    tokens = grafana.spend(code).json()
    assert grafana.is_active(tokens["refresh_token"])

    assert is_refused(grafana.spend(code))

    assert grafana.userinfo(tokens["access_token"]).status_code == 401
    assert is_refused(grafana.refresh(tokens["refresh_token"]))
    assert not Token.objects.exists()


def test_a_wrong_verifier_burns_the_code(grafana):
    code = grafana.code()

    assert is_refused(grafana.spend(code, code_verifier="w" * 43))
    assert is_refused(grafana.spend(code))


def test_a_missing_verifier_burns_the_code(grafana):
    code = grafana.code()

    assert is_refused(grafana.spend(code, code_verifier=None))
    assert is_refused(grafana.spend(code))


def test_a_wrong_secret_leaves_the_code_as_it_is(grafana):
    code = grafana.code()

    assert grafana.spend(code, client_secret="wrong").status_code == 401
    assert grafana.spend(code).status_code == 200


def test_the_code_of_another_app_is_refused_and_stays(grafana):
    code = grafana.code()
    other = Relying(AppFactory(name="Wiki"), grafana.browser)

    assert is_refused(other.spend(code))
    assert grafana.spend(code).status_code == 200


@pytest.mark.parametrize("wrong", ["https://app.example/callback/", "https://app.example/callback?x=1", "", None])
def test_another_redirect_uri_burns_the_code(grafana, wrong):
    code = grafana.code()

    assert is_refused(grafana.spend(code, redirect_uri=wrong))
    assert is_refused(grafana.spend(code))


def test_a_verifier_without_a_challenge_is_refused(signed_in, app):
    grafana = Relying(app, signed_in)
    code = grafana.code(code_challenge="")

    assert is_refused(grafana.spend(code))
    assert is_refused(grafana.spend(code, code_verifier=None))
    assert grafana.spend(grafana.code(code_challenge=""), code_verifier=None).status_code == 200


def test_the_plain_challenge_is_never_compared(grafana):
    code = grafana.code(code_challenge="v" * 43)  # a verifier that would fit by the method "plain"

    assert is_refused(grafana.spend(code, code_verifier="v" * 43))


def test_a_code_lasts_a_minute(grafana):
    code = grafana.code()
    Login.objects.update(made_at=timezone.now() - CODE_LASTS)

    assert is_refused(grafana.spend(code))


def test_a_code_that_is_nearly_a_minute_old_works(grafana):
    code = grafana.code()
    Login.objects.update(made_at=timezone.now() - CODE_LASTS + timedelta(seconds=20))

    assert grafana.spend(code).status_code == 200


@pytest.mark.parametrize("code", ["", "x", "ü" * 3000, "%00"])
def test_an_unknown_code_is_refused(grafana, code):
    assert is_refused(grafana.spend(code), "invalid_grant" if code else "invalid_request")


def test_an_app_on_somebodys_machine_needs_no_secret(signed_in):
    native = Relying(AppFactory(public=True, redirect_uris=["http://127.0.0.1/back"]), signed_in)

    tokens = native.tokens()

    assert native.userinfo(tokens["access_token"]).status_code == 200
    assert native.refresh(tokens["refresh_token"]).status_code == 200


def test_a_native_app_may_listen_on_any_port(signed_in):
    native = Relying(AppFactory(public=True, redirect_uris=["http://127.0.0.1/back"]), signed_in)
    native.redirect_uri = "http://127.0.0.1:45678/back"

    assert native.spend(native.code()).status_code == 200


def test_without_the_grant_there_is_no_refresh_token(signed_in):
    wiki = Relying(AppFactory(grant_types=["authorization_code"]), signed_in)

    tokens = wiki.tokens()

    assert "refresh_token" not in tokens
    assert [token.type for token in Token.objects.all()] == [Token.Type.ACCESS_TOKEN]
    assert wiki.refresh("a.b").json()["error"] == "unauthorized_client"


def test_neither_code_nor_person_lies_in_redis(grafana, cache_calls):
    """Nor does a code depend on Redis: it can't be known in one process alone."""
    cache_calls.clear()
    code = grafana.code()
    assert grafana.spend(code).status_code == 200

    assert [call for call in cache_calls if call in {"set", "add"}] == []
    assert not caches["default"].keys("*allauth*")


def test_the_code_is_kept_as_a_hash(grafana):
    code = grafana.code()

    login = Login.objects.get()

    assert code not in f"{login.code} {login.code_hash}"
    assert login.code["pkce"]["code_challenge"] == challenge()
    grafana.spend(code)
    login.refresh_from_db()
    assert login.code == {}


def test_tokens_are_kept_as_hashes_and_tied_to_the_login(grafana):
    tokens = grafana.tokens()

    kept = str(list(Token.objects.values())) + str(list(Login.objects.values()))

    assert Bound.objects.filter(login=Login.objects.get()).count() == 2
    assert tokens["access_token"] not in kept
    assert not any(part in kept for part in tokens["refresh_token"].split("."))


@pytest.mark.parametrize(
    "grant", ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:device_code", "x"]
)
def test_other_grants_stay_shut(grafana, grant):
    answer = grafana.post("/identity/o/api/token", grant_type=grant, username="ada", password="x", device_code="x")

    assert is_refused(answer, "unsupported_grant_type")


def test_grant_type_must_be_named(grafana):
    assert is_refused(grafana.post("/identity/o/api/token"), "invalid_request")


def test_another_method_is_refused_in_json():
    answer = Client().get("/identity/o/api/token", {"client_secret": APP_SECRET})

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert answer.json()["error"] == "invalid_request"


def test_scopes_decide_what_is_told(grafana):
    few = grafana.read(grafana.tokens(scopes=("openid",))["id_token"])

    assert not {"email", "name", "preferred_username", "groups"} & set(few)
