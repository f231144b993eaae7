"""Which app asks: by HTTP Basic, by the form, or by its id alone (RFC 6749 §2.3.1, §5.2)."""

from urllib.parse import quote

import pytest
from django.test import Client

from sso import limits
from sso.models import App
from tests.sso.relying import INTROSPECT, REVOKE, TOKEN, VERIFIER, Relying, basic
from tests.tools.factories import APP_SECRET, AppFactory

pytestmark = pytest.mark.django_db


def ask(grafana, authorization, **fields):
    """Spends a new code, with this header, and returns the answer."""
    form = {
        "grant_type": "authorization_code",
        "code": grafana.code(),
        "redirect_uri": grafana.redirect_uri,
        "code_verifier": VERIFIER,
    }
    headers = {"Authorization": authorization} if authorization else {}
    return Client().post(TOKEN, form | fields, headers=headers)


def is_wrong(answer):
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.headers["Cache-Control"] == "no-store"
    return (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def every_letter_encoded(text):
    return "".join(f"%{ord(letter):02X}" for letter in text)


@pytest.mark.parametrize("encode", [str, quote, every_letter_encoded])
def test_basic_raw_and_encoded(grafana, encode):
    header = basic(encode(grafana.app.pk), encode(APP_SECRET))

    assert ask(grafana, header).status_code == 200


def test_an_id_with_dashes_works_encoded_and_not(grafana):
    """openid-client encodes even these; ids of ours have none, but an operator may have brought one along."""
    client = grafana.app.client
    App.objects.all().delete()
    client.id = "dash-client_1"
    client.save()
    grafana.app = App.objects.create(client=client, everybody=True, start_url="https://app.example/")

    for name in ("dash-client_1", "dash%2Dclient%5F1"):
        assert ask(grafana, basic(name, APP_SECRET)).status_code == 200


def test_the_id_may_stand_in_the_form_as_well(grafana):
    header = basic(grafana.app.pk, APP_SECRET)

    assert ask(grafana, header, client_id=grafana.app.pk).status_code == 200


def test_two_ways_at_once_are_refused(grafana):
    header = basic(grafana.app.pk, APP_SECRET)
    for fields in ({"client_id": grafana.app.pk, "client_secret": APP_SECRET}, {"client_id": "another"}):
        answer = ask(grafana, header, **fields)

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic AA==",
        "Basic " + "A" * 3000,
        basic("", ""),
        basic("nobody", APP_SECRET),
        basic("no\0body", APP_SECRET),
        basic("%00", APP_SECRET),
        basic("%FF%FE", "%"),
        "Bearer abc",
        "",
    ],
)
def test_other_headers_are_refused(grafana, header):
    assert is_wrong(ask(grafana, header))


@pytest.mark.parametrize("secret", ["", "wrong", APP_SECRET + "s", APP_SECRET[1:], "app_secret$x"])
def test_a_wrong_secret_is_refused(grafana, secret):
    assert is_wrong(ask(grafana, basic(grafana.app.pk, secret)))
    assert is_wrong(ask(grafana, "", client_id=grafana.app.pk, client_secret=secret))


def test_an_app_with_a_secret_must_show_it(grafana):
    assert is_wrong(ask(grafana, "", client_id=grafana.app.pk))


def test_an_app_without_a_secret_must_show_none(signed_in):
    native = Relying(AppFactory(public=True), signed_in)

    assert is_wrong(native.spend(native.code(), client_secret=APP_SECRET))
    assert is_wrong(native.post(INTROSPECT, token="x"))  # it would answer anybody who knows the id
    assert native.post(REVOKE, token="x").status_code == 200


def test_a_renewed_secret_and_the_former_one_work_for_a_day(grafana, monkeypatch):
    new = grafana.app.renew_secret()

    assert ask(grafana, basic(grafana.app.pk, new)).status_code == 200
    assert ask(grafana, basic(grafana.app.pk, APP_SECRET)).status_code == 200

    encoded, former, _until = grafana.app.client.secret.rsplit("$", 2)
    grafana.app.client.secret = f"{encoded}${former}$1"
    grafana.app.client.save()
    assert is_wrong(ask(grafana, basic(grafana.app.pk, APP_SECRET)))
    assert ask(grafana, basic(grafana.app.pk, new)).status_code == 200


def test_no_secret_costs_a_password_hash(grafana, hashes):
    hashes.clear()

    ask(grafana, basic(grafana.app.pk, "wrong"))
    ask(grafana, basic("nobody", "wrong"))
    assert ask(grafana, basic(grafana.app.pk, APP_SECRET)).status_code == 200

    assert hashes == []


def test_an_unknown_app_and_a_wrong_secret_are_told_alike(grafana, django_assert_num_queries):
    client = Client()
    answers = []
    for name in (grafana.app.pk, "nobody"):
        with django_assert_num_queries(1):
            answers.append(client.post(TOKEN, {"client_id": name, "client_secret": "wrong"}))

    first, second = answers
    assert (first.content, first.status_code) == (second.content, second.status_code)


def test_wrong_secrets_are_limited_and_right_ones_never(grafana):
    stranger = {"client_id": grafana.app.pk, "client_secret": "wrong"}
    for _ in range(limits.WRONG_SECRET_PER_APP.most):
        assert is_wrong(grafana.server.post(TOKEN, stranger))

    reached = grafana.server.post(TOKEN, stranger)

    assert (reached.status_code, reached.json()["error"]) == (429, "temporarily_unavailable")
    assert 0 < int(reached.headers["Retry-After"]) <= 600
    assert grafana.tokens()  # from the same network
    assert is_wrong(Client(REMOTE_ADDR="192.0.2.77").post(TOKEN, stranger))


def test_wrong_secrets_for_many_apps_are_limited_by_network():
    stranger = Client(REMOTE_ADDR="192.0.2.78")
    for n in range(limits.WRONG_SECRET_PER_NETWORK.most):
        assert is_wrong(stranger.post(TOKEN, {"client_id": f"app{n}", "client_secret": "wrong"}))

    assert stranger.post(TOKEN, {"client_id": "another", "client_secret": "wrong"}).status_code == 429


def test_an_app_whose_server_sends_from_a_browser_needs_no_csrf_token(grafana):
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(TOKEN, grafana.credentials() | {"grant_type": "refresh_token", "refresh_token": "x"})

    assert answer.json()["error"] == "invalid_grant"


def test_secret_and_tokens_are_in_no_log(grafana, caplog):
    tokens = grafana.tokens()
    grafana.userinfo(tokens["access_token"])
    grafana.refresh(tokens["refresh_token"])
    grafana.spend("x", client_secret="a wrong secret")

    for told in (APP_SECRET, tokens["access_token"], tokens["refresh_token"], tokens["id_token"], "a wrong secret"):
        assert told not in caplog.text
    assert "/identity/o/api/token" in caplog.text
