"""Bad input of any kind gets a clear message and changes nothing; never a 500."""

import pytest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from config.wsgi import application
from invites import purposes
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, LinkFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"


def post(path, body, content_type=FORM, **extra):
    return Client().generic("POST", path, body, content_type=content_type, **extra)


PATHS = ["/", "/login", "/signup", "/confirm", "/owner", "/invite/sent", "/language", "/logout/here"]
PATHS += ["/reset", "/reset/password", "/not-me", "/account/settings", "/account/username", "/account/password"]
PATHS += ["/login/code", "/login/code/abandon", "/account/second-factor/app", "/account/second-factor/off"]
PATHS += ["/account/second-factor/codes", "/account/second-factor/browsers", "/login/keep", "/keep"]
PATHS += ["/account/email", "/account/email/code", "/account/delete", "/account/prove", "/account/sessions/end"]


BODIES = {
    "NUL": b"email=a%00%40example.com&login=%00&password=x&token=%00&language=%00",
    "half a character": b"email=%ED%A0%80%40example.com&login=%ED%A0%80&token=%ED%A0%80&language=%ED%A0%80",
    "no UTF-8": b"email=%FF%FE&login=%FF&token=%FF&language=%FF",
    "repeated": b"email=a%40example.com&email=b%40example.com&login=a&login=b&token=a&token=b&language=en&language=ru",
    "NUL name": b"%00=1",
}


@pytest.mark.parametrize("path", PATHS)
def test_what_no_form_of_ours_can_send_is_a_clear_400(path, subtests):
    for name, body in BODIES.items():
        with subtests.test(name):
            page = post(path, body)

            assert page.status_code == 400
            assert "<h1>" in page.text
            assert not OutboxMessage.objects.exists()
            assert not User.objects.exists()


ODD = {
    "line ends": "a@example.com\r\nBcc: eve@example.com",
    "a tab": "a\tb@example.com",
    "U+FFFD": "caf\ufffd@example.com",
    "10,000 characters": "a" * 10_000 + "@example.com",
    "controls": "a\x01\x1b[31m\x85\u2028@example.com",
    "combining marks alone": "\u0301\u0308",
    "right to left": "\u202eמשהו\u202c@example.com",
    "emoji": "🙂👩‍👩‍👧@🏴󠁧󠁢󠁥󠁮󠁧󠁿.example",
    "noncharacters": "\ufffe\uffff\U0010ffff@example.com",
}


@pytest.mark.parametrize("path", PATHS)
def test_what_a_browser_can_send_is_never_a_400(path, settings, subtests):
    settings.RATELIMIT_ENABLE = False
    for name, text in ODD.items():
        with subtests.test(name):
            fields = ("email", "login", "username", "password", "code", "token", "language", "next", "session")
            answer = Client().post(path, dict.fromkeys(fields, text))

            assert answer.status_code in (200, 302, 404, *([413] if len(text) > 4096 else []))
            assert not OutboxMessage.objects.exists()
            assert not User.objects.exists()


@pytest.mark.parametrize("path", ["/api/v1/auth/google", "/api/v1/account/google"])
def test_a_door_that_takes_a_form_asks_for_a_form(path):
    said = post(path, BODIES["NUL"]).json()["errors"][0]

    assert said["code"] == "malformed"
    assert "Send a form in UTF-8" in said["message"]
    assert "Send one JSON object" in post(path, b"{", "application/json").json()["errors"][0]["message"]


def test_twenty_megabytes_are_a_clear_413():
    page = post("/", b"email=" + b"a" * 20 * 1024 * 1024)

    assert page.status_code == 413
    assert "<h1>" in page.text


def test_other_character_sets_are_a_clear_415(subtests):
    for charset in ("latin-1", "utf-7", "utf-16", "no-such", "\\"):
        with subtests.test(charset):
            page = post("/", b"email=a", content_type=f"{FORM}; charset={charset}")

            assert page.status_code in (400, 415)
            assert "<h1>" in page.text


MULTIPART = "multipart/form-data; boundary=x"
DRESSES = {
    "noise for parts": (b"\x00\x01\x02", MULTIPART),
    "NUL in a part": (b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\x00\r\n--x--\r\n', MULTIPART),
    "empty boundary": (b"--x", "multipart/form-data; boundary="),
    "no boundary": (b"--x", "multipart/form-data"),
    "JSON": (b'{"email": "a@example.com"}', "application/json"),
    "XML": (b"<email/>", "text/xml"),
    "5,000 fields": (b"&".join(b"f%d=1" % n for n in range(5000)), FORM),
}


def test_bodies_in_other_dress_are_a_4xx_or_the_form_again(subtests):
    for name, (body, content_type) in DRESSES.items():
        with subtests.test(name):
            page = post("/", body, content_type)

            assert page.status_code in (200, 400, 413, 415)
            assert not OutboxMessage.objects.exists()


def test_a_lying_content_length_is_a_4xx(subtests):
    for length in ("-1", "abc", "99999999999999999999", "1e3", "²"):
        with subtests.test(length):
            assert post("/", b"email=a", CONTENT_LENGTH=length).status_code in (400, 413)


STRANGE = [
    "/?next=%00",
    "/?next=%0d%0aSet-Cookie:x",
    "/?next=" + "a" * 5000,
    "/login?next=%ED%A0%80",
    "/signup?token=%00",
    "/signup?token=%ff",
    "/signup?token=a&token=b",
    "/confirm?token=" + "." * 5000,
    "/invite/sent?%00",
    "/dev/mail/..%2f..%2fetc%2fpasswd",
]


def test_strange_addresses_are_never_a_500(subtests):
    for path in STRANGE:
        with subtests.test(path[:40]):
            assert Client().get(path).status_code in (200, 404)


def test_unknown_paths_are_the_404_page(subtests):
    for path in ("/%00", "/nothing", "/login/", "/admin/nothing", "/" + "a" * 5000, "/.well-known/x"):
        with subtests.test(path[:40]):
            page = Client().get(path)

            assert page.status_code in (404, 302)
            assert page.status_code == 302 or "Page not found" in words(page)


def test_a_next_with_control_characters_never_reaches_a_row_or_a_header(client):
    invite = LinkFactory(next="")
    form = {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "grace", "password": PASSWORD}

    assert client.post("/signup?next=%0d%0aX:1", form).url == "/account"


@pytest.mark.parametrize("path", ["/account", "/account/export", "/logout", "/healthz", *PATHS])
def test_other_methods_are_405(signed_in, path, subtests):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        with subtests.test(method):
            assert signed_in.generic(method, path).status_code in (405, 404)


def test_a_post_without_its_csrf_token_is_explained():
    page = Client(enforce_csrf_checks=True).post("/", {"email": "a@example.com"})

    assert page.status_code == 403
    assert "Your browser sent no cookie with the form, so we haven’t used what you sent." in words(page)
    assert "press the button once more. If it happens again, allow cookies" in words(page)
    assert not OutboxMessage.objects.exists()


def test_another_host_name_is_a_400(client):
    page = client.get("/", headers={"Host": "evil.example"})

    assert page.status_code == 400
    assert "evil.example" not in page.text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=60))
def test_any_text_in_any_field_is_never_a_500(settings, email, name, password):
    settings.RATELIMIT_ENABLE = False
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)
    client = Client()
    for path, form in [
        ("/", {"email": email, "next": name}),
        ("/login", {"login": name, "password": password}),
        ("/signup", {"token": token, "username": name, "password": password}),
        ("/signup", {"token": email, "username": name, "password": password}),
        ("/signup", {"email": email, "username": name, "password": password}),
        ("/reset", {"email": email}),
        ("/reset/password", {"token": email, "password": password}),
        ("/not-me", {"token": email}),
    ]:
        never_a_500(client, path, form)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=60))
def test_any_text_in_any_field_of_an_account_is_never_a_500(settings, signed_in, email, name, password):
    settings.RATELIMIT_ENABLE = False
    for path, form in [
        ("/account/username", {"username": name}),
        ("/account/password", {"password": password, "chosen": email}),
        ("/account/email", {"email": email, "password": password}),
        ("/account/email", {"email": email, "password": PASSWORD}),
        ("/account/email/code", {"action": name, "code": email}),
        ("/account/settings", {"language": name, "time_zone": email, "theme": name, "notices": password}),
        ("/account/sessions/end", {"session": email}),
        ("/account/sessions/prolong", {"next": email}),
        ("/login/again", {"next": email, "password": password}),
        ("/account/delete", {"password": password, "when": name, "hand_to": email}),
    ]:
        never_a_500(signed_in, path, form)


def never_a_500(client, path, form):
    try:
        answer = client.post(path, form)
    except UnicodeEncodeError:  # lone surrogates: Django's test client can't send them
        return
    assert answer.status_code < 500


BREAKING = ["a/b; x*=nope''utf-8", "a/b; charset*=unicode_escape''a%5Cx00b", "text/html; charset=idna"]
BREAKING += ["\x00", "é", ";;;="]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_content_type_that_breaks_django_gets_a_page(method, subtests):
    for content_type in BREAKING:
        with subtests.test(content_type):
            said, body = through_wsgi(method, content_type)

            assert said[:3] in ("200", "400", "403", "415")
            assert b"<h1>" in body


def through_wsgi(method, content_type):
    """Returns the answer of the real WSGI entry: Django alone would fail before any middleware could answer."""
    environ = RequestFactory().generic(method, "/?next=%ff", b"email=a").environ | {"CONTENT_TYPE": content_type}
    said = []
    body = b"".join(application(environ, lambda status, headers: said.append(status)))
    return said[0], body
