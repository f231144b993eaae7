"""What apps ask passes no session, and is refused in the words of OAuth; what their forms hold reaches our pages."""

import base64

import pytest
from django.conf import settings as site
from django.db import InterfaceError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.edge.bodies import FORMS_OF_APPS, MAX_BODY
from config.edge.json_errors import SAID, SAID_TO_APPS
from config.edge.openid_paths import AUTHORIZE, DOCUMENTS, DOORS, LOGOUT
from kit.limits import LARGE_BODY_PER_NETWORK
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

TOKEN = f"{DOORS}token"
FORM = "application/x-www-form-urlencoded"
INVALID, AWAY, BROKEN = "invalid_request", "temporarily_unavailable", "server_error"


@pytest.fixture
def stand_ins(settings):
    """A site whose doors for apps say what they were asked."""
    settings.ROOT_URLCONF = "tests.tools.app_behind"


def post(body=b"grant_type=x", path=TOKEN, content_type=FORM, **extra):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.generic("POST", path, body, content_type=content_type, **extra)


def is_told(answer, status, error):
    """Asserts that an answer is an error as RFC 6749 §5.2 has it, which nobody keeps."""
    assert answer.status_code == status
    said = answer.json()
    assert set(said) == {"error", "error_description"}
    assert said["error"] == error
    description = said["error_description"]
    assert description.isascii()
    assert description.isprintable()
    assert not {'"', "\\"} & set(description)
    assert "no-store" in answer["Cache-Control"]


REFUSED = {
    "a field twice": (400, {"body": b"code=a&code=b"}),
    "NUL": (400, {"body": b"code=%00"}),
    "no UTF-8": (400, {"body": b"code=%FF"}),
    "too many fields": (400, {"body": b"a=b&" * 200}),
    "no length": (400, {"CONTENT_LENGTH": "x"}),
    "another host": (400, {"HTTP_HOST": "evil.example"}),
    "chunks": (411, {"HTTP_TRANSFER_ENCODING": "chunked"}),
    "too large": (413, {"body": b"a" * (MAX_BODY + 1)}),
    "another character set": (415, {"content_type": f"{FORM}; charset=koi8-r"}),
    "no such door": (404, {"path": f"{DOORS}nothing"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_door_gets_to_see_is_refused_in_the_words_of_oauth(name):
    status, sent = REFUSED[name]

    is_told(post(**sent), status, INVALID)


def test_so_is_what_a_door_itself_refuses():
    is_told(Client().put(TOKEN), 405, INVALID)


def test_large_bodies_are_limited_and_say_until_when(monkeypatch):
    monkeypatch.setattr("config.edge.bodies.LARGE_BODY_PER_NETWORK", type(LARGE_BODY_PER_NETWORK)("few", "1/h"))
    sent = {"body": b"a" * (MAX_BODY + 1), "REMOTE_ADDR": "198.51.100.77"}
    post(**sent)

    answer = post(**sent)

    is_told(answer, 429, AWAY)
    assert 0 < int(answer["Retry-After"]) <= 3600


@pytest.mark.parametrize("path", [TOKEN, "/.well-known/jwks.json"])
def test_what_fails_is_told_without_its_details(stand_ins, path):
    is_told(post(path=f"{path}?fail"), 500, BROKEN)


def test_a_database_that_is_away_is_told_with_when_to_try_again(monkeypatch, stand_ins):
    def is_away(*_args):
        raise InterfaceError

    monkeypatch.setattr("tests.tools.app_behind.JsonResponse", is_away)

    answer = post()

    is_told(answer, 503, AWAY)
    assert answer["Retry-After"] == "120"


def test_plain_http_is_refused_where_a_secret_would_be_sent_and_led_to_https_where_not(settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_SSL_HOST = True, "testserver"

    is_told(post(), 403, INVALID)
    assert (
        Client().get("/.well-known/openid-configuration").url == "https://testserver/.well-known/openid-configuration"
    )


def test_each_error_of_a_program_has_its_words_for_apps_but_the_end_of_a_session():
    assert set(SAID) - set(SAID_TO_APPS) == {401}


def test_whoever_sends_a_form_with_basic_and_no_token_of_ours_is_heard(stand_ins):
    basic = "Basic " + base64.b64encode(b"grafana:secret").decode()

    answer = post(b"code=a&empty=", HTTP_AUTHORIZATION=basic, HTTP_ORIGIN="https://app.example.com")

    said = answer.json()
    assert (said["fields"], said["authorization"]) == ({"code": "a", "empty": ""}, basic)


@pytest.mark.parametrize("path", [TOKEN, *sorted(DOCUMENTS)])
def test_apps_have_no_session_no_language_and_no_cookie(signed_in, stand_ins, path):
    signed_in.cookies[site.LANGUAGE_COOKIE_NAME] = "ru"

    with CaptureQueriesContext(connection) as queries:
        answers = [signed_in.get(path), signed_in.post(path)]

    assert not queries
    for answer in answers:
        assert (answer.status_code, answer.json()["session"]) == (200, False)
        assert not answer.cookies
        assert "Cookie" not in answer.get("Vary", "")
        assert "Language" not in answer.get("Vary", "")
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_paths_are_those_of_the_site_map():
    assert (reverse("sso_authorize"), reverse("sso_logout")) == (AUTHORIZE, LOGOUT)
    for name in ("token", "userinfo", "introspect", "revoke"):
        assert reverse(f"sso_{name}") == f"{DOORS}{name}"
    assert {reverse("sso_discovery"), reverse("sso_jwks")} < DOCUMENTS


@pytest.mark.parametrize("path", sorted(FORMS_OF_APPS))
def test_a_form_of_an_app_with_a_parameter_twice_gets_the_page_that_says_who_must_mend_it(path):
    browser = Client(enforce_csrf_checks=True)
    sent = browser.generic(
        "POST", path, b"client_id=a&client_id=b", content_type=FORM, HTTP_ORIGIN="https://app.example.com"
    )

    there = sent["Refresh"].removeprefix("0; url=") if path == AUTHORIZE else sent["Location"]

    page = browser.get(there)
    assert there == f"{path}?client_id=a&client_id=b"
    assert page.status_code == 400
    assert "We can’t lead you on to the app" in words(page)
