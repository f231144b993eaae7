"""Every POST has a limit, and docs/api.md gives its numbers."""

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from django_ratelimit.core import _split_rate

from accounts import limits
from config import urls
from invites import limits as mails
from invites import purposes
from kit import rate_limit, tokens
from kit.limits import LARGE_BODY_PER_NETWORK
from outbox import limits as all_mails
from sso import limits as apps
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(monkeypatch):
    """A list of the limits that were checked, each with its key."""
    seen = []
    monkeypatch.setattr(rate_limit.Limit, "check", lambda limit, request, key: seen.append((limit.name, key)))
    monkeypatch.setattr(rate_limit, "take_all", lambda *some: seen.extend((quota.name, key) for quota, key in some))
    return seen


POSTS = [
    *((path, "ask-network") for path in ("/", "/ask", "/signup", "/reset", "/account/prove")),
    *((path, "ask-network") for path in ("/invite/sent", "/invite/as-me")),
    ("/login", "login-network"),
    *((path, "post") for path in ("/logout", "/logout/here", "/language", "/not-me", "/keep", "/invite/decline/now")),
    *(
        (f"/account/{page}", "post")
        for page in ("settings", "profile", "complete", "username", "password", "email", "email/code")
    ),
    ("/google", "google-network"),
    ("/login/code", "factor-network"),
    ("/login/again", "post"),
    ("/login/again/google", "google-network"),
    ("/login/code/abandon", "post"),
    ("/login/keep", "post"),
    *((f"/identity/o/{page}", "post") for page in ("authorize", "consent", "logout", "logout/answer")),
    ("/invite/readdress", "ask-network"),
    (f"/invite/groups/{UUID(int=7)}", "post"),
    ("/invite/as-me/code", "post"),
    *((f"/account/{page}", "post") for page in ("google", "google/off")),
    *((f"/account/second-factor/{page}", "post") for page in ("app", "browsers", "codes", "off")),
    *(
        (f"/account/{page}", "post")
        for page in ("export", "delete", "sessions/end", "sessions/prolong", "apps/disconnect")
    ),
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


CHANGES = ("email", "profile", "complete", "username", "google", "export", "second-factor/app", "second-factor/codes")


def test_changes_are_counted_by_person(client, ada, counted, google, subtests):
    phone.pair(ada)
    client.force_login(ada)
    for page in CHANGES:
        with subtests.test(page):
            counted.clear()
            client.get(f"/account/{page}")
            assert counted == []

            client.post(f"/account/{page}")

            assert ("change-user", ada.pk.hex) in counted


HANDLE = "<slug:handle>"
# The limit by network at each door.
DOORS = {
    ("POST", "/api/v1/ask"): "ask-network",
    ("POST", "/api/v1/invite"): "ask-network",
    ("POST", "/api/v1/auth/create"): "ask-network",  # without a token
    ("POST", "/api/v1/invite/as-me"): "ask-network",
    ("POST", "/api/v1/auth/login"): "login-network",
    ("DELETE", "/api/v1/auth/login"): "post",
    ("POST", "/api/v1/auth/login/code"): "factor-network",
    ("POST", "/api/v1/auth/keep"): "post",
    ("DELETE", "/api/v1/auth/keep"): "post",
    ("POST", "/api/v1/auth/keep/link"): "post",
    ("POST", "/api/v1/auth/logout"): "post",
    ("DELETE", f"/api/v1/auth/sessions/{HANDLE}"): "post",
    ("POST", "/api/v1/auth/proof"): "post",
    ("POST", "/api/v1/auth/proof/link"): "ask-network",
    ("POST", "/api/v1/auth/reset"): "ask-network",
    ("POST", "/api/v1/auth/google"): "google-network",
    ("DELETE", "/api/v1/account"): "post",
    ("PATCH", "/api/v1/account"): "post",
    ("PUT", "/api/v1/account/password"): "post",
    ("POST", "/api/v1/account/email-change"): "post",
    ("DELETE", "/api/v1/account/email-change"): "post",
    ("POST", "/api/v1/account/email-change/code"): "post",
    ("POST", "/api/v1/account/email-change/again"): "post",
    ("DELETE", "/api/v1/account/second-factor"): "post",
    ("POST", "/api/v1/account/second-factor/setup"): "post",
    ("PUT", "/api/v1/account/second-factor/app"): "post",
    ("POST", "/api/v1/account/second-factor/recovery-codes"): "post",
    ("POST", "/api/v1/account/google"): "post",
    ("DELETE", "/api/v1/account/google"): "post",
    ("DELETE", "/api/v1/apps/<slug:pk>/connection"): "post",
    ("POST", "/api/v1/apps/<slug:pk>/request"): "post",
}
# Doors that are limited by link, and by network for bad tokens.
PRESSES = {
    "/api/v1/ask/take-back": purposes.REQUEST,
    "/api/v1/auth/create": purposes.SIGNUP,
    "/api/v1/auth/confirm": purposes.CONFIRM,
    "/api/v1/auth/reset/check": purposes.RESET,
    "/api/v1/auth/reset/password": purposes.RESET,
    "/api/v1/auth/relay": purposes.CONFIRM,
    "/api/v1/auth/relay/not-asked": purposes.CONFIRM,
}
# Doors that count more than presses of the link: see test_elsewhere.py, test_as_me.py and test_ask_to_join.py.
COUNT_MORE = ("/api/v1/auth/relay/code", "/api/v1/invite/as-me/code", "/api/v1/ask/confirm")
# Doors that change nothing.
OTHERS = {
    *(f"/api/v1/{door}" for door in ("config", "openapi.json", "account", "apps")),
    *(f"/api/v1/auth/{door}" for door in ("session", "sessions", "google/response")),
    *(f"/api/v1/account/{door}" for door in ("email-change", "second-factor", "second-factor/recovery-codes")),
}


FORMS = ("/api/v1/auth/google", "/api/v1/account/google")


def ask(client, method, path, **sent):
    if (method, path) in {("POST", form) for form in FORMS}:
        return client.post(path, sent, REMOTE_ADDR="198.51.100.7")
    sent = json.dumps(sent)
    return client.generic(method, re.sub(r"<.*?>", "0", path), sent, "application/json", REMOTE_ADDR="198.51.100.7")


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
def test_every_json_door_is_limited_by_network(signed_in, counted, door):
    ask(signed_in, *door)

    assert (DOORS[door], "198.51.100.7") in counted


def methods(path):
    """Returns the methods of a door, as its answer to an unknown method names them."""
    return set(ask(Client(), "TRACE", path)["Allow"].split(", ")) - {"HEAD"}


def test_this_file_names_every_json_door(db):
    paths = [f"/{door.pattern}" for door in urls.urlpatterns if str(door.pattern).startswith("api/")]
    doors = {(method, path) for path in paths for method in methods(path)}

    assert doors == {*DOORS, *(("POST", path) for path in (*PRESSES, *COUNT_MORE)), *(("GET", path) for path in OTHERS)}


ACCOUNT = "/api/v1/account"


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("POST", f"{ACCOUNT}/email-change", "change-user"),
        ("PUT", f"{ACCOUNT}/second-factor/app", "change-user"),
        ("POST", f"{ACCOUNT}/second-factor/recovery-codes", "change-user"),
        ("POST", f"{ACCOUNT}/email-change/code", "code-user"),
        ("POST", f"{ACCOUNT}/email-change/again", "code-user"),
        ("POST", "/api/v1/auth/proof", "password-user"),
        ("PUT", f"{ACCOUNT}/password", "password-user"),
        ("POST", f"{ACCOUNT}/email-change", "password-user"),
        ("PUT", f"{ACCOUNT}/second-factor/app", "password-user"),
        ("POST", f"{ACCOUNT}/second-factor/recovery-codes", "password-user"),
        ("DELETE", f"{ACCOUNT}/second-factor", "password-user"),
        ("DELETE", f"{ACCOUNT}/google", "password-user"),
        ("DELETE", ACCOUNT, "password-user"),
    ],
)
def test_changes_are_limited_by_account_at_the_json_doors_too(client, ada, counted, method, path, key):
    phone.pair(ada).google.adopt("2001", "ada@gmail.com")
    client.force_login(ada)
    counted.clear()

    ask(client, method, path, email="x@example.com", password="wrong password")

    assert (key, ada.pk.hex) in counted


def test_going_to_google_to_connect_it_counts_as_a_change(signed_in, ada, counted, google):
    signed_in.post(f"{ACCOUNT}/google", {"password": PASSWORD})

    assert {("change-user", ada.pk.hex), ("password-user", ada.pk.hex)} <= set(counted)


@pytest.mark.parametrize("path", PRESSES)
def test_presses_of_one_link_are_counted_at_the_json_doors_too(client, ada, counted, path):
    purpose = PRESSES[path]
    link = LinkFactory(email=ada.email if purpose == purposes.RESET else "grace@example.com")

    ask(client, "POST", path, token=tokens.sign(purpose, link.pk))
    assert counted == [("press", link.pk.hex)]
    counted.clear()

    ask(client, "POST", path, token="x")
    assert counted == [("bad-link", "198.51.100.7")]


def test_all_changes_of_one_account_count_together(signed_in):
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


PERIODS = {60: "a minute", 60 * 60: "an hour", 24 * 60 * 60: "a day"}


def said(limit):
    """Returns a limit as docs/api.md puts it: "20 an hour", "5 in 15 minutes"."""
    rolling = isinstance(limit, rate_limit.Quota)
    most, seconds = (limit.most, limit.window.total_seconds()) if rolling else _split_rate(limit.rate)
    return f"{most} {PERIODS.get(seconds, f'in {seconds / 60:.0f} minutes')}"


def test_the_page_about_the_json_doors_gives_the_numbers_of_the_limits():
    page = (Path(__file__).parents[2] / "docs/api.md").read_text()
    rows = re.findall(r"^\| (.*) \| .* \| (.*) \|$", page.partition("| what | by | at most |")[2], re.MULTILINE)
    by_network = (mails.ASK_PER_NETWORK, limits.LOGIN_PER_NETWORK, limits.FACTOR_PER_NETWORK, limits.GOOGLE_PER_NETWORK)

    assert dict(rows[1:]) == {
        "wrong passwords at sign-in": f"{said(limits.LOGIN_PER_NAME)}; {said(limits.LOGIN_PER_DEVICE)}",
        "passwords as proof": said(limits.PASSWORD_PER_USER),
        "wrong codes at sign-in": f"{said(limits.FACTOR_PER_USER)} and {said(limits.FACTOR_PER_USER_A_DAY)}; "
        f"{said(limits.FACTOR_PER_DEVICE)}; {said(limits.FACTOR_ON_DEVICES_A_DAY)}",
        "mails asked for": f"{said(mails.ASK_PER_ADDRESS_AT_ONCE)}, {said(mails.ASK_PER_ADDRESS)}; "
        f"{said(mails.ASK_PER_OWNER)} and {said(mails.ASK_PER_OWNER_A_DAY)}",
        "codes mailed to a new address": said(limits.CODE_PER_ADDRESS),
        "all mails that anybody can have sent to an address they name": f"{said(all_mails.MAILBOX_AN_HOUR)} and "
        f"{said(all_mails.MAILBOX_A_DAY)}; {said(all_mails.NETWORK_A_DAY)}",
        "wrong codes of one such mail; codes typed or mailed again": f"{limits.EMAIL_CODE.most}; "
        f"{said(limits.CODE_PER_USER)}",
        "changes of name, address, app or recovery codes; connecting Google; test mails at the desk": said(
            limits.CHANGE_PER_USER
        ),
        "mails of a list, sent to oneself before the list is sent": said(mails.SAMPLE_PER_STAFF),
        "wrong codes from the page of a link": said(mails.CODE_PER_ASKING),
        "wrong codes for an invitation that went to another address": said(mails.CODE_AS_ME),
        "presses of one link; invalid tokens": f"{said(mails.PRESS_PER_LINK)}; {said(mails.BAD_LINK_PER_NETWORK)}",
        "asking for mail, signing in, codes at sign-in, visits to Google": "; ".join({said(one) for one in by_network}),
        "every other request that changes something": said(limits.POST_PER_NETWORK),
        "strangers whom an app sends to prove who they are": said(apps.SENT_BY_APP_PER_NETWORK),
        "wrong secrets of apps (OpenID Connect); a right one always passes": f"{said(apps.WRONG_SECRET_PER_APP)}; "
        f"{said(apps.WRONG_SECRET_PER_NETWORK)}",
        "discovery and public keys for apps": said(apps.DISCOVERY_PER_NETWORK),
        "bodies over 64 KiB, refused or, of a list at the desk, taken": said(LARGE_BODY_PER_NETWORK),
    }
