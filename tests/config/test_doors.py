"""How requests come to the site: schemes, hosts, health checks, plain http; and the headers that answers carry."""

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.models import Event, Session
from accounts.models.session import stored_key
from config.edge.headers import CLEAR_SITE_DATA
from invites import purposes
from kit import tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def https(settings):
    """A site that is served over https behind one proxy."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_SSL_HOST = True, "testserver"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXY_COUNT = 1
    return settings


@pytest.mark.parametrize(
    ("proxies", "said", "status"),
    [
        (1, "https", 200),
        (1, "HTTPS", 200),
        (1, " Https ", 200),
        (1, "http", 301),
        (1, "", 301),
        (1, "http, HTTPS", 200),  # the proxy adds its entry to what the visitor claimed
        (1, "https, http", 301),
        (2, "https, http", 200),  # the outer proxy ends TLS, and the inner one adds what it sees
        (2, "http,https,http", 200),
        (2, "https,http,http", 301),
        (2, "HTTPS", 200),  # the inner proxy passes on what the outer one said
    ],
)
def test_schemes_have_no_case_and_only_our_proxies_tell_them(https, proxies, said, status):
    https.TRUSTED_PROXY_COUNT = proxies

    assert Client().get("/login", headers={"X-Forwarded-Proto": said}).status_code == status


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_by_whatever_name_the_host_is_called(https, path):
    for host in ("10.0.0.5:8000", "frontdoor.internal", "[::1]", "a b", ""):
        assert Client().get(path, headers={"Host": host}).status_code == 200
        assert Client().head(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/admin/", "/api/v1/config", "/static/nothing.css"])
def test_a_foreign_host_is_one_line_in_the_log(path, caplog):
    with caplog.at_level(logging.INFO):
        answer = Client(raise_request_exception=False).get(path, headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert answer["Content-Security-Policy"]
    (line,) = caplog.records
    assert line.getMessage().endswith(" DisallowedHost: evil.example")
    assert line.exc_info is None


def test_what_strangers_send_too_much_of_is_one_line_too(caplog):
    with caplog.at_level(logging.INFO):
        answer = Client().post("/login", b"a&" * 3000, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 400
    assert [line.exc_info for line in caplog.records] == [None]


def test_programs_are_not_led_from_http_to_https(https, ada):
    client, known = Client(), Event.objects.count()

    for method in ("get", "post", "put", "delete"):
        answer = getattr(client, method)("/api/v1/auth/login", {"login": "ada", "password": PASSWORD})
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["code"] == "https_required"
    assert client.get("/api/nothing").status_code == 403
    assert Event.objects.count() == known
    assert not client.cookies


def test_people_are(https):
    assert Client().get("/login?next=/account").url == "https://testserver/login?next=/account"
    assert Client().get("/api/v1/auth/google/response?code=x").status_code == 301


TOKENS = [value for value in vars(purposes).values() if isinstance(value, tokens.Purpose)]


def token_pages():
    good = tokens.sign(purposes.SIGNUP, LinkFactory().pk)
    for purpose in TOKENS:
        yield tokens.path(purpose, LinkFactory().pk)
    yield f"/login?next=%2Flogin%3Fnext%3D%252Fsignup%253Ftoken%253D{good}"
    yield from (f"/signup?%74oken={good}", f"/nothing?token={good}", f"/login?next=/signup%3Ftoken%3D{good}")
    yield from (f"/signup?token={good}&token=b", f"/signup?token={good}%00", "/signup?token=x", "/owner?token=x")
    yield "/api/v1/auth/google/response?code=secret&state=secret"


def test_no_page_with_a_token_in_its_address_tells_it_to_our_own_files(client, subtests):
    for address in token_pages():
        with subtests.test(address.partition("=")[0]):
            page = client.get(address)

            assert page["Referrer-Policy"] == "strict-origin"
            assert 'name="referrer"' not in page.text


def test_error_pages_of_such_addresses_do_not_either(client, monkeypatch):
    client.raise_request_exception = False
    path = tokens.path(purposes.SIGNUP, LinkFactory().pk)
    answers = [client.get(path, headers={"Host": "evil.example"}), client.post(path, {"a": "b" * 99_999})]
    answers.append(Client(enforce_csrf_checks=True).post(path))
    monkeypatch.setattr("invites.link.opens.note", lambda *_given: 1 / 0)
    answers.append(client.get(path))

    assert [answer.status_code for answer in answers] == [400, 413, 403, 500]
    assert {answer["Referrer-Policy"] for answer in answers} == {"strict-origin"}


def test_other_pages_tell_other_sites_nothing_and_send_their_origin(client):
    for path in ("/login", "/login?next=/account"):
        assert client.get(path)["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/login", "/nothing", "/admin/", "/api/v1/config", "/static/frontdoor.css"])
def test_pages_may_do_nothing_special_and_no_other_origin_may_embed_them(client, path):
    answer = client.get(path)
    answer.close()

    assert {"camera=()", "microphone=()", "geolocation=()", "payment=()"} <= set(
        answer["Permissions-Policy"].split(", ")
    )
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def own_handle(_client):
    return Session.objects.get().handle


SIGN_OUTS = {
    "everywhere": lambda client: client.post("/logout"),
    "here": lambda client: client.post("/logout/here"),
    "deletion": lambda client: client.post("/account/delete", {"when": "now", "password": PASSWORD}),
    "leaving": lambda client: client.post("/account/delete", {"when": "later", "password": PASSWORD}),
    "own session": lambda client: client.post("/account/sessions/end", {"session": own_handle(client)}),
    "everywhere, JSON": lambda client: client.send("/api/v1/auth/logout"),
    "here, JSON": lambda client: client.send("/api/v1/auth/logout", only="this"),
    "deletion, JSON": lambda client: client.send("/api/v1/account", "DELETE", password=PASSWORD),
    "own session, JSON": lambda client: client.send(f"/api/v1/auth/sessions/{own_handle(client)}", "DELETE"),
}


@pytest.mark.parametrize("way", SIGN_OUTS)
def test_signing_out_has_the_browser_forget_what_services_have_stored(ada, way):
    client = Program() if "JSON" in way else Client()
    if "JSON" in way:
        assert client.sign_in("ada", PASSWORD).status_code == 200
    else:
        client.post("/login", {"login": "ada", "password": PASSWORD})
    assert "Clear-Site-Data" not in client.get("/account")

    answer = SIGN_OUTS[way](client)

    assert answer["Clear-Site-Data"] == CLEAR_SITE_DATA
    assert not answer.cookies["frontdoor_session"].value
    assert client.get("/account").status_code == 302
    assert "cookies" not in CLEAR_SITE_DATA
    assert '"cache"' not in CLEAR_SITE_DATA


def test_a_desk_that_signs_out_whoever_was_idle_has_the_browser_forget_it_too(desk):
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        answer = desk.get("/admin/")

    assert (answer.status_code, answer["Clear-Site-Data"]) == (302, CLEAR_SITE_DATA)


def test_other_answers_have_the_browser_forget_nothing(client, ada):
    assert "Clear-Site-Data" not in client.post("/logout/here")
    client.post("/login", {"login": "ada", "password": PASSWORD})
    assert "Clear-Site-Data" not in client.post("/account/delete", {"password": "wrong"})
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    mine = client.cookies["frontdoor_session"].value
    theirs = Session.objects.exclude(session_key=stored_key(mine)).get()
    assert "Clear-Site-Data" not in client.post("/account/sessions/end", {"session": theirs.handle})
    assert "Clear-Site-Data" not in client.post("/api/v1/auth/logout", '{"only": "that"}', "application/json")


@pytest.mark.parametrize("path", ["/", "/login", "/account", "/logout", "/admin/", "/api/v1/auth/session"])
def test_the_cookie_of_a_session_that_had_ended_is_dropped_and_nothing_else(signed_in, path):
    Session.objects.all().delete()
    caches["sessions"].clear()

    answer = signed_in.get(path)

    assert "Clear-Site-Data" not in answer


def test_a_session_that_another_one_replaces_has_the_browser_forget_nothing(mailbox, signed_in, ada):
    signed_in.post("/reset", {"email": ada.email})
    reset = mailbox.link(ada.email, "/reset/password").partition("token=")[2]
    changed = signed_in.post("/reset/password", {"token": reset, "password": "four random words here"})
    grace = UserFactory(username="grace")
    Client().post("/", {"email": grace.email})
    link = mailbox.link(grace.email, "/confirm").partition("token=")[2]
    confirmed = signed_in.post("/confirm", {"token": link, "here": "on"})

    assert changed.status_code == confirmed.status_code == 302
    assert "Clear-Site-Data" not in changed
    assert "Clear-Site-Data" not in confirmed


def test_security_txt_says_where_to_report(client, settings):
    settings.SECURITY_CONTACT = ["mailto:security@example.com", "https://example.com/report"]

    answer = client.get("/.well-known/security.txt")

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    said = [line.split(": ", 1) for line in answer.text.strip().split("\n")]
    assert [value for name, value in said if name == "Contact"] == settings.SECURITY_CONTACT
    fields = dict(said)
    assert fields["Canonical"] == f"{settings.SITE_URL}/.well-known/security.txt"
    assert fields["Preferred-Languages"] == "en, de, es, fr, pt-br, ru, uk, ar"
    expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < expires - timezone.now() < timedelta(days=365)


def test_without_a_contact_there_is_no_security_txt(client):
    page = client.get("/.well-known/security.txt")

    assert page.status_code == 404
    assert "Page not found" in words(page)


def test_answers_are_compressed_for_those_who_ask(client, signed_in):
    gzip = {"Accept-Encoding": "gzip, deflate, br"}
    for someone, path in [
        (client, "/login"),
        (client, "/login?next=/account"),
        (signed_in, "/account"),
        (client, "/x"),
    ]:
        answer = someone.get(path, headers=gzip)

        assert answer["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer["Vary"]
        assert int(answer["Content-Length"]) == len(answer.content)


def test_their_length_is_random(client):
    lengths = {len(client.get("/nothing", headers={"Accept-Encoding": "gzip"}).content) for _ in range(30)}

    assert len(lengths) > 5


@pytest.mark.parametrize("accepts", ["", "br", "identity", "gzip;q=0", "gzip; q=0.0, br"])
def test_others_get_them_as_they_are(client, accepts):
    answer = client.get("/login", headers={"Accept-Encoding": accepts})

    assert "Content-Encoding" not in answer
    assert "<h1>" in answer.text


def test_short_answers_and_those_for_proxies_are_not_compressed(client, signed_in):
    gzip = {"Accept-Encoding": "gzip"}

    for someone, path in [(client, "/healthz"), (client, "/auth/verify"), (signed_in, "/auth/verify")]:
        assert not {"Content-Encoding", "Vary"} & set(someone.get(path, headers=gzip).headers)


def test_a_page_with_a_lasting_secret_is_not_compressed(signed_in, ada, subtests):
    gzip = {"Accept-Encoding": "gzip"}
    page = signed_in.get("/account/second-factor/app", headers=gzip)
    assert "Content-Encoding" not in page
    setup = signed_in.post("/api/v1/account/second-factor/setup", "{}", "application/json", headers=gzip)
    assert setup.json()["secret"]
    assert "Content-Encoding" not in setup
    codes = turn_on(signed_in, page)
    assert codes.status_code == 200
    for path in ("/account/second-factor/codes", "/account/second-factor/codes.txt"):
        assert "Content-Encoding" not in signed_in.get(path, headers=gzip)
    door = signed_in.get("/api/v1/account/second-factor/recovery-codes", headers=gzip)
    assert door.json()["codes"]
    assert "Content-Encoding" not in door


def turn_on(client, page):
    """Sets up the app whose key a page shows; returns the page of recovery codes."""
    key = re.sub(r"\s", "", re.search(r'<b dir="ltr">([A-Z2-7 ]+)</b>', page.text)[1])
    return client.post("/account/second-factor/app", {"code": phone.code(key), "password": PASSWORD}, follow=True)


def test_nor_is_an_answer_that_others_can_have_a_signed_in_browser_ask_for(signed_in, desk):
    gzip = {"Accept-Encoding": "gzip"}

    assert "Content-Encoding" not in signed_in.get("/account?x=ada@example.com", headers=gzip)
    assert "Content-Encoding" not in desk.get("/admin/accounts/user/?q=ada", headers=gzip)
    assert desk.get("/admin/accounts/user/", headers=gzip)["Content-Encoding"] == "gzip"
