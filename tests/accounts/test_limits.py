"""Every POST wears a limit."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts import limits
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "name"),
    [
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
    ],
)
def test_every_post_is_limited_by_network(path, name, monkeypatch):
    seen = []
    monkeypatch.setattr(limits.Limit, "check", lambda limit, request, key: seen.append((limit.name, key)))
    for _ in range(2):
        Client(REMOTE_ADDR="198.51.100.7").get(path)
    assert seen == []

    Client(REMOTE_ADDR="198.51.100.7").post(path)

    assert (name, "198.51.100.7") in seen


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


@pytest.mark.parametrize(
    ("language", "hour", "day"),
    [
        ("en", r"after \d\d:\d\d \(UTC\)", r"after \w+day \d+ \w+, \d\d:\d\d \(UTC\)"),
        ("ru", r"после \d\d:\d\d \(UTC\)", r"после \d\d:\d\d \w+, \d+ \w+ \(UTC\)"),
    ],
)
def test_a_wait_of_more_than_twelve_hours_names_the_day_too(language, hour, day):
    with translation.override(language):
        assert re.search(hour, limits.Limited(limits.FACTOR_PER_USER_A_DAY, 12 * 60 * 60).words)
        assert re.search(day, limits.Limited(limits.FACTOR_PER_USER_A_DAY, 12 * 60 * 60 + 1).words)


def test_right_passwords_at_once_do_not_add_up_to_wrong_ones():
    limit = limits.LOGIN_PER_NAME
    for _ in range(limit.most):
        limit.take("ada")
    for _ in range(20):
        with pytest.raises(limits.Limited):
            limit.take("ada")
    for _ in range(limit.most):
        limit.give_back("ada")

    assert limit.take("ada") == 1
