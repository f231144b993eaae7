"""The modules of OpenID's conformance suite, walked by hand: docs/conformance.md says what became of each."""

import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import time_machine
from django.conf import settings

from sso.models import LogoutCall
from tests.sso.relying import TOKEN, USERINFO, VERIFIER, Relying, basic, challenge
from tests.tools.factories import APP_SECRET, AppFactory, UserFactory

pytestmark = pytest.mark.django_db

TABLE = Path("docs/conformance.md").read_text()
AUTHORIZE, LOGOUT = "/identity/o/authorize", "/identity/o/logout"
BYE = "https://app.example/bye?from=here"
BASIC = """
server response-type-missing idtoken-signature idtoken-unsigned userinfo-get userinfo-post-header userinfo-post-body
ensure-request-without-nonce-succeeds-for-code-flow scope-profile scope-email scope-address scope-phone scope-all
ensure-other-scope-order-succeeds display-page display-popup prompt-login prompt-none-not-logged-in
prompt-none-logged-in max-age-1 max-age-10000 ensure-request-with-unknown-parameter-succeeds id-token-hint login-hint
ui-locales claims-locales ensure-request-with-acr-values-succeeds codereuse codereuse-30seconds
ensure-registered-redirect-uri ensure-post-request-succeeds server-client-secret-post request-uri-unsigned
unsigned-request-object-supported-correctly-or-rejected-as-unsupported claims-essential
ensure-request-object-with-redirect-uri refresh-token ensure-request-with-valid-pkce-succeeds
discovery-endpoint-verification
"""
LOGOUTS = """
rp-initiated-logout-discovery-endpoint-verification rp-initiated-logout
rp-initiated-logout-bad-post-logout-redirect-uri rp-initiated-logout-modified-id-token-hint
rp-initiated-logout-no-id-token-hint rp-initiated-logout-no-params rp-initiated-logout-no-post-logout-redirect-uri
rp-initiated-logout-no-state rp-initiated-logout-only-state
rp-initiated-logout-query-added-to-post-logout-redirect-uri rp-initiated-logout-bad-id-token-hint
backchannel-logout-discovery-endpoint-verification backchannel-rp-initiated-logout
"""
MODULES = {f"oidcc-{name}" for name in (BASIC + LOGOUTS).split()}


class Party(Relying):
    """An app that asks as the suite does: with nonce and state, through the browser."""

    def ask(self, how="get", **more):
        """Sends the browser to the site, and returns the answer. A parameter that is None is left out."""
        usual = {
            "client_id": self.app.pk,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        sent = {name: text for name, text in (usual | more).items() if text is not None}
        return getattr(self.browser, how)(AUTHORIZE, sent)

    def told(self, **more):
        """Returns the fields with which the app's address is called."""
        answer = self.ask(**more)
        assert answer.status_code == 302, answer.text
        assert answer["Location"].startswith(self.redirect_uri), answer["Location"]
        return {name: value[0] for name, value in parse_qs(urlsplit(answer["Location"]).query).items()}

    def signs_in(self, **more):
        """Returns the tokens for what is asked, and the claims of the ID token."""
        told = self.told(**more)
        assert (told["state"], told["iss"]) == ("the-state", settings.SITE_URL)
        tokens = self.spend(told["code"]).json()
        claims = self.read(tokens["id_token"])
        assert claims["nonce"] == "the-nonce"
        return tokens, claims

    def learns(self, **more):
        """Returns what userinfo says after what is asked."""
        tokens, claims = self.signs_in(**more)
        said = self.userinfo(tokens["access_token"]).json()
        assert said["sub"] == claims["sub"]
        return said


@pytest.fixture
def party(signed_in):
    app = AppFactory(post_logout_uris=BYE, logout_uri="https://app.example/backchannel")
    return Party(app, signed_in)


def test_the_table_has_each_module_and_each_test_it_names():
    rows = re.findall(r"^\| `(oidcc-[a-z0-9-]+)` \| (\w[^|]*) \|[^|]*\|$", TABLE, re.MULTILINE)
    assert sorted(name for name, _result in rows) == sorted(MODULES)
    assert {result for _name, result in rows} <= {"passes", "not offered", "refused"}


def test_server_and_tokens(party):
    tokens, claims = party.signs_in()
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == "RS256"
    assert {"iss", "sub", "aud", "exp", "iat", "auth_time", "at_hash"} <= set(claims)
    assert "name" not in claims  # not asked for
    assert tokens["token_type"] == "Bearer"

    told = party.told()
    by_post = party.spend(told["code"])  # by fields of the form
    assert by_post.status_code == 200
    form = {"grant_type": "authorization_code", "redirect_uri": party.redirect_uri, "code_verifier": VERIFIER}
    header = {"Authorization": basic(party.app.pk, APP_SECRET)}
    by_basic = party.server.post(TOKEN, form | {"code": party.told()["code"]}, headers=header)
    assert by_basic.status_code == 200
    assert by_basic["Cache-Control"] == "no-store"


def test_a_response_type_that_is_missing(party):
    assert party.told(response_type=None)["error"] == "invalid_request"


def test_userinfo_by_get_and_post(party):
    tokens, claims = party.signs_in()
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    for answer in (party.server.get(USERINFO, headers=header), party.server.post(USERINFO, headers=header)):
        assert answer.json()["sub"] == claims["sub"]
    in_body = party.server.post(USERINFO, {"access_token": tokens["access_token"]})
    assert in_body.status_code == 401  # RFC 6750 §2.2 lets us choose, and says that one should not


def test_without_a_nonce_only_with_pkce(party):
    assert "code" in party.told(nonce=None)
    party.app.pkce = False
    party.app.save()
    pkce = {"code_challenge": None, "code_challenge_method": None}
    assert "code" in party.told(**pkce)
    assert party.told(nonce=None, **pkce)["error"] == "invalid_request"  # RFC 9700 §2.1.1


def test_scopes(party, ada):
    assert party.learns(scope="openid profile")["preferred_username"] == "ada"
    assert party.learns(scope="openid email") == {
        "sub": str(ada.pk),
        "email": "ada@example.com",
        "email_verified": True,
    }
    for scope in ("openid address", "openid phone", "phone openid"):
        assert party.learns(scope=scope) == {"sub": str(ada.pk)}
    every = "address email openid phone profile"
    assert {"name", "email"} <= set(party.learns(scope=every))


@pytest.mark.parametrize(
    "more",
    [
        {"display": "page"},
        {"display": "popup"},
        {"extra": "foobar"},
        {"login_hint": "bob@example.com"},
        {"ui_locales": "se"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"claims": '{"userinfo": {"name": {"essential": true}}}'},
        {"max_age": "10000"},
        {"prompt": "none"},
    ],
    ids=" ".join,
)
def test_what_may_be_asked_and_changes_nothing(party, more):
    _tokens, claims = party.signs_in(**more)
    assert claims["acr"]
    assert claims["auth_time"] <= time.time()


def test_whom_a_program_expects_is_filled_in(client, party):
    party.browser = client
    client.logout()
    there = party.ask(login_hint="bob@example.com")
    assert "bob@example.com" in client.get(there["Location"]).text


def test_prompt_none_where_nobody_is_signed_in(client, party):
    client.logout()
    party.browser = client
    told = party.told(prompt="none")
    assert (told["error"], told["state"]) == ("login_required", "the-state")


@pytest.mark.parametrize("more", [{"prompt": "login"}, {"max_age": "1"}], ids=["prompt-login", "max-age-1"])
def test_a_fresh_proof(party, more):
    _tokens, before = party.signs_in()
    with time_machine.travel(time.time() + 5):
        again = party.ask(**more)
        assert again.status_code == 302
        assert urlsplit(again["Location"]).path == "/login/again"
    assert before["auth_time"]


def test_id_token_hint(party):
    tokens, claims = party.signs_in()
    _tokens, again = party.signs_in(prompt="none", id_token_hint=tokens["id_token"])
    assert again["sub"] == claims["sub"]
    other = Party(party.app, party.browser)
    party.browser.force_login(UserFactory())
    assert other.told(prompt="none", id_token_hint=tokens["id_token"])["error"] == "login_required"


@pytest.mark.parametrize("later", [0, 30])
def test_a_code_used_again(party, later):
    code = party.told()["code"]
    tokens = party.spend(code).json()
    with time_machine.travel(time.time() + later):
        again = party.spend(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert party.userinfo(tokens["access_token"]).status_code == 401


def test_an_address_that_is_not_registered(party):
    answer = party.ask(redirect_uri=f"{party.redirect_uri}/other")
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_request_by_post(party):
    answer = party.ask("post")
    assert answer.status_code == 200  # a page that leads on, so that no form of another site holds our answer
    path = answer["Refresh"].partition("url=")[2]
    assert "code=" in party.browser.get(path)["Location"]


@pytest.mark.parametrize(
    ("name", "error"), [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")]
)
def test_request_objects_are_rejected_as_unsupported(party, name, error):
    assert party.told(**{name: "eyJhbGciOiJub25lIn0.e30."})["error"] == error


def test_refresh_tokens(party):
    tokens, claims = party.signs_in()
    fresh = party.refresh(tokens["refresh_token"]).json()
    again = party.read(fresh["id_token"])
    same = ("iss", "sub", "aud", "auth_time")
    assert [again[name] for name in same] == [claims[name] for name in same]


def test_discovery(party):
    found = party.server.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == settings.SITE_URL
    for endpoint in ("authorization", "token", "userinfo", "end_session", "introspection", "revocation"):
        assert found[f"{endpoint}_endpoint"].startswith(f"{settings.SITE_URL}/identity/o/")
    assert found["jwks_uri"].startswith(settings.SITE_URL)
    assert found["backchannel_logout_supported"] is True
    assert found["backchannel_logout_session_supported"] is True
    assert found["claims_parameter_supported"] is False
    assert found["request_parameter_supported"] is False
    assert found["request_uri_parameter_supported"] is False
    assert "openid" in found["scopes_supported"]


def sign_out(party, **sent):
    """Returns where signing out leads, and checks that the site has asked before."""
    page = party.browser.get(LOGOUT, sent)
    assert page.status_code == 200
    action = re.search(r'<form[^>]*action="(/identity/o/logout[^"]*)"', page.text)[1].replace("&amp;", "&")
    answer = party.browser.post(action)
    return answer["Refresh"].partition("url=")[2] if "Refresh" in answer else answer["Location"]


def test_signing_out_leads_back_to_the_app_which_is_told(party):
    tokens, claims = party.signs_in()
    sent = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE, "state": "so-long"}

    assert sign_out(party, **sent) == f"{BYE}&state=so-long"

    assert party.told(prompt="none")["error"] == "login_required"
    call = LogoutCall.objects.get()
    assert (call.uri, call.sub, call.sid) == (party.app.logout_uri, claims["sub"], claims["sid"])


def test_signing_out_without_a_state(party):
    tokens, _claims = party.signs_in()
    sent = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE}
    assert sign_out(party, **sent) == BYE


@pytest.mark.parametrize("case", ["none", "state", "no hint", "no address", "bad address", "query", "hint", "garbled"])
def test_signing_out_stays_here_where_the_app_or_its_address_is_in_doubt(party, case):
    tokens, _claims = party.signs_in()
    hint, forged = tokens["id_token"], jwt.encode({"aud": party.app.pk}, "k" * 32, algorithm="HS256")
    sent = {
        "none": {},
        "state": {"state": "so-long"},
        "no hint": {"post_logout_redirect_uri": BYE, "state": "so-long"},
        "no address": {"id_token_hint": hint, "state": "so-long"},
        "bad address": {"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"},
        "query": {"id_token_hint": hint, "post_logout_redirect_uri": f"{BYE}&more=1"},
        "hint": {"id_token_hint": forged, "post_logout_redirect_uri": BYE},
        "garbled": {"id_token_hint": f"{hint[:-4]}AAAA", "post_logout_redirect_uri": BYE},
    }[case]
    there = sign_out(party, **sent)
    assert there.startswith("/login")
