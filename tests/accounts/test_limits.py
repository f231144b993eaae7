"""Every POST wears a limit."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from config import headless, urls
from invites import purposes
from kit import rate_limit, tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(monkeypatch):
    """The names of the limits that were asked, and for whom."""
    seen = []
    monkeypatch.setattr(rate_limit.Limit, "check", lambda limit, request, key: seen.append((limit.name, key)))
    return seen


POSTS = [
    *((path, "ask-network") for path in ("/", "/signup", "/reset", "/account/prove", "/invite/sent")),
    ("/login", "login-network"),
    *((path, "post") for path in ("/logout", "/logout/here", "/language", "/not-me")),
    *((f"/account/{page}", "post") for page in ("settings", "username", "password", "email", "email/code")),
    ("/google", "google-network"),
    ("/login/code", "factor-network"),
    ("/login/code/abandon", "post"),
    ("/invite/readdress", "ask-network"),
    *((f"/account/{page}", "post") for page in ("google", "google/off")),
    *((f"/account/second-factor/{page}", "post") for page in ("app", "browsers", "codes", "off")),
    *((f"/account/{page}", "post") for page in ("export", "delete", "sessions/end", "sessions/prolong")),
]


def test_every_post_is_limited_by_network(counted, subtests):
    for path, name in POSTS:
        with subtests.test(path):
            counted.clear()
            for _ in range(2):
                Client(REMOTE_ADDR="198.51.100.7").get(path)
            assert counted == []

            Client(REMOTE_ADDR="198.51.100.7").post(path)

            assert (name, "198.51.100.7") in counted


HEADLESS = "/_allauth/browser/v1/"
DOORS = {
    ("POST", "/api/v1/invite"): "ask-network",
    ("POST", "/api/v1/auth/login"): "login-network",
    ("POST", "/api/v1/auth/logout"): "post",
    ("DELETE", "/api/v1/auth/session/<slug:handle>"): "post",
    ("DELETE", "/api/v1/account"): "post",
    ("DELETE", f"{HEADLESS}auth/session"): "post",
    ("POST", f"{HEADLESS}auth/login"): "login-network",
    ("POST", f"{HEADLESS}auth/2fa/authenticate"): "factor-network",
    ("POST", f"{HEADLESS}auth/reauthenticate"): "post",
    ("POST", f"{HEADLESS}auth/password/request"): "ask-network",
    ("POST", f"{HEADLESS}auth/email/verify"): "post",
    ("POST", f"{HEADLESS}auth/email/verify/resend"): "post",
    ("POST", f"{HEADLESS}auth/provider/redirect"): "google-network",
    ("DELETE", f"{HEADLESS}auth/sessions"): "post",
    ("POST", f"{HEADLESS}account/password/change"): "post",
    ("POST", f"{HEADLESS}account/email"): "post",
    ("DELETE", f"{HEADLESS}account/email"): "post",
    ("DELETE", f"{HEADLESS}account/providers"): "post",
    ("POST", f"{HEADLESS}account/authenticators/totp"): "post",
    ("DELETE", f"{HEADLESS}account/authenticators/totp"): "post",
    ("POST", f"{HEADLESS}account/authenticators/recovery-codes"): "post",
}
# Counted by the link and by bad tokens; never open; or only to be looked at.
OTHERS = {"/api/v1/auth/create", "/api/v1/auth/session", "/api/v1/auth/google/response", "/api/v1/openapi.json"} | {
    f"{HEADLESS}{door}" for door in ("config", "auth/signup", "auth/password/reset", "account/authenticators")
}


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
def test_every_json_door_is_limited_by_network(signed_in, counted, door):
    method, path = door

    signed_in.generic(method, path.replace("<slug:handle>", "0"), "{}", "application/json", REMOTE_ADDR="198.51.100.7")

    assert (DOORS[door], "198.51.100.7") in counted


def test_no_json_door_was_forgotten():
    own = {f"/{door.pattern}" for door in urls.urlpatterns if str(door.pattern).startswith("api/v1/")}
    doors = own | {f"{HEADLESS}{door.pattern}" for door in headless.urlpatterns}

    assert doors == {path for _method, path in DOORS} | OTHERS


@pytest.mark.parametrize(
    ("door", "key"),
    [
        (f"{HEADLESS}account/email", "change-user"),
        (f"{HEADLESS}account/authenticators/totp", "change-user"),
        (f"{HEADLESS}account/authenticators/recovery-codes", "change-user"),
        (f"{HEADLESS}auth/email/verify", "code-user"),
        (f"{HEADLESS}auth/email/verify/resend", "code-user"),
        (f"{HEADLESS}auth/reauthenticate", "password-user"),
    ],
)
def test_what_one_account_does_is_limited_at_the_json_doors_too(signed_in, ada, counted, door, key):
    if "recovery" in door:
        phone.pair(ada)
        signed_in.force_login(ada)
    signed_in.post(f"{HEADLESS}auth/reauthenticate", {"password": PASSWORD}, "application/json")
    counted.clear()

    signed_in.post(door, {"email": "x@example.com", "password": PASSWORD}, "application/json")

    assert (key, ada.pk.hex) in counted


@pytest.mark.parametrize(
    ("path", "purpose", "name"),
    [("/api/v1/auth/create", purposes.SIGNUP, "token"), (f"{HEADLESS}auth/password/reset", purposes.RESET, "key")],
)
def test_presses_of_one_link_are_counted_at_the_json_doors_too(client, ada, counted, path, purpose, name):
    link = LinkFactory(email="ada@example.com" if purpose == purposes.RESET else "grace@example.com")

    client.post(path, {name: tokens.sign(purpose, link.pk)}, "application/json")

    assert ("press", link.pk.hex) in counted


def test_what_one_account_changes_counts_together(signed_in):
    for _ in range(10):
        signed_in.post("/account/username", {"username": "x"})
        signed_in.post("/account/email", {"email": "", "password": PASSWORD})

    for path in ("/account/username", "/account/email", "/account/export"):
        assert signed_in.post(path).status_code == 429


def test_the_page_of_a_limit_names_a_minute_that_is_not_over_yet(client):
    client.post("/", {"email": "ada@example.com"})
    asked_at = timezone.now()
    answer = client.post("/", {"email": "ada@example.com"})

    retry_at = answer.context["limit"].retry_at
    assert retry_at.second == 0
    assert retry_at >= asked_at + timedelta(seconds=int(answer["Retry-After"]))
    assert f"{retry_at:%H:%M} (UTC)" in answer.text
