"""While too many wait for a password hash, whoever needs one is told so at once, and nothing is lost or counted."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.models import Event, User
from accounts.models.ways_in import WaysIn
from accounts.password import hashers
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from kit.lane import Full, Lane
from tests.tools import phone
from tests.tools.crowd import crowd
from tests.tools.factories import PASSWORD, LinkFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

BUSY = "Very many people are signing in right now. Nothing has changed. Try again in a few seconds."
JSON = "application/json"
NEW = "another horse battery staple"
ROOT = Path(__file__).parent.parent.parent
FORK = """
import os
from accounts.password import hashers

lane = hashers.lane()
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    assert hashers.lane() is lane
else:
    os._exit(hashers.lane() is lane)
"""


class Narrow:
    """A lane in which only so many of the next calls find a place."""

    def __init__(self, left):
        self.left = left

    def run(self, work, *args, **kwargs):
        if not self.left:
            raise Full
        self.left -= 1
        return work(*args, **kwargs)


@pytest.fixture
def full(monkeypatch):
    """Fills the lane of hashes until the test calls the function that this is."""
    lane = Lane(1, 1)
    with crowd(lane, 2) as leave:
        monkeypatch.setattr(hashers, "lane", lambda: lane)
        yield leave


@pytest.mark.parametrize("login", ["ada", "ada@example.com", "nobody"])
def test_sign_in_says_so_and_keeps_the_name(client, ada, full, login):
    for _try in range(7):  # more than anybody may guess
        answer = client.post("/login", {"login": login, "password": PASSWORD})

        assert answer.status_code == 503
        assert answer["Retry-After"] == "2"
        assert BUSY in words(answer)
        assert f'value="{login}"' in answer.content.decode()
        assert PASSWORD not in answer.content.decode()
    assert not Event.objects.filter(kind=Event.Kind.FAILED).exists()

    full()
    assert client.post("/login", {"login": login, "password": PASSWORD}).status_code == (
        200 if login == "nobody" else 302
    )


def test_programs_are_told_too(client, ada, full):
    answer = client.post("/api/v1/auth/login", {"login": "ada", "password": PASSWORD}, JSON)

    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"
    assert answer.json() == {"errors": [{"field": None, "code": "busy", "message": BUSY}]}


def test_a_link_works_after_it_met_a_full_lane(client, full):
    token = tokens.sign(purposes.SIGNUP, LinkFactory(email="grace@example.com").pk)
    form = {"token": token, "username": "grace", "password": PASSWORD}

    refused = client.post("/signup", form)

    assert refused.status_code == 503
    assert 'value="grace"' in refused.content.decode()
    assert not User.objects.exists()
    full()
    assert client.post("/signup", form).status_code == 302
    assert User.objects.get().check_password(PASSWORD)


def test_a_reset_and_a_change_lose_nothing(client, ada, full):
    link = LinkFactory(email=ada.email, purpose=MagicLink.Purpose.RESET, epoch=ada.session_epoch)
    reset = client.post("/reset/password", {"token": tokens.sign(purposes.RESET, link.pk), "password": NEW})
    client.force_login(ada)
    change = client.post("/account/password", {"password": PASSWORD, "chosen": NEW})
    prolonged = client.post("/account/sessions/prolong", {"password": PASSWORD})

    assert [answer.status_code for answer in (reset, change, prolonged)] == [503, 503, 503]
    full()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_a_network_that_fills_the_lane_is_counted_all_the_same(client, full):
    for number in range(60):
        assert client.post("/login", {"login": f"nobody{number}", "password": PASSWORD}).status_code == 503

    assert client.post("/login", {"login": "nobody", "password": PASSWORD}).status_code == 429


def test_no_try_of_a_password_as_proof_is_counted(client, ada, full):
    client.force_login(ada)
    form = {"password": PASSWORD, "next": "/account/settings"}
    for _try in range(12):  # more than anybody may try
        page = client.post("/account/sessions/prolong", form)
        assert page.status_code == 503
        assert words(page).count("Nothing has changed") == 1
        assert 'name="next" value="/account/settings"' in page.text

    full()
    assert client.post("/account/sessions/prolong", form).url == "/account/settings"


def test_the_page_that_asks_for_proof_stays_with_what_was_typed(client, ada, full):
    client.force_login(ada)
    page = client.post("/account/username", {"username": "countess", "proof-asked": "1", "proof-password": PASSWORD})

    assert page.status_code == 503
    assert page["Retry-After"] == "2"
    assert BUSY in words(page)
    assert '<input type="hidden" name="username" value="countess">' in page.text
    assert PASSWORD not in page.text


def test_a_recovery_code_is_used_up_only_once_the_new_password_has_its_hash(client, ada, monkeypatch):
    phone.pair(ada)
    form = {"password": PASSWORD, "code": ada.second_factor.recovery_codes[0], "chosen": NEW}
    client.force_login(ada)
    narrow = Narrow(1)  # room for the check of the password alone
    monkeypatch.setattr(hashers, "lane", lambda: narrow)

    assert client.post("/account/password", form).status_code == 503
    assert len(ada.second_factor.recovery_codes) == 10

    narrow.left = 2
    assert client.post("/account/password", form).url == "/account"


def test_a_second_press_whose_form_is_gone_meanwhile_gets_a_page_that_says_so(client, ada, request):
    link = LinkFactory(email=ada.email, purpose=MagicLink.Purpose.RESET, epoch=ada.session_epoch)
    form = {"token": tokens.sign(purposes.RESET, link.pk), "password": NEW}
    client.get("/reset/password", {"token": form["token"]})  # gives the browser its cookie
    assert client.post("/reset/password", form).url == "/login"

    empty = request.getfixturevalue("full")
    answer = client.post("/reset/password", form)

    assert answer.status_code == 503
    assert words(answer).count("Nothing has changed") == 1
    assert "already been used" not in words(answer)
    empty()
    assert client.post("/reset/password", form).url == "/login"


def test_a_form_that_now_leads_elsewhere_leaves_such_a_page_too(client, ada, full):
    token = tokens.sign(purposes.SIGNUP, LinkFactory(email=ada.email).pk)
    answer = client.post("/signup", {"token": token, "username": "grace", "password": PASSWORD})

    assert answer.status_code == 503
    assert words(answer).count("Nothing has changed") == 1
    assert "Nothing has changed" not in words(client.get("/login"))


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(client, ada, monkeypatch):
    old = ada.password
    monkeypatch.setattr(hashers.Argon2, "time_cost", hashers.Argon2.time_cost + 1)

    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302

    ada.refresh_from_db()
    assert ada.password != old
    assert client.get("/account").status_code == 200
    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302


def test_nobody_is_kept_out_who_finds_no_place_to_renew_the_hash(client, ada, monkeypatch):
    monkeypatch.setattr(hashers.Argon2, "time_cost", hashers.Argon2.time_cost + 1)
    narrow = Narrow(1)
    monkeypatch.setattr(hashers, "lane", lambda: narrow)

    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302
    assert User.objects.get().password == ada.password


def test_a_sign_in_under_way_does_not_bring_the_old_password_back(client, ada, monkeypatch):
    monkeypatch.setattr(hashers.Argon2, "time_cost", hashers.Argon2.time_cost + 1)
    renew = WaysIn.renew_hash

    def after_a_reset(ways_in, password):
        User.objects.get().ways_in.change_password(NEW)
        renew(ways_in, password)

    monkeypatch.setattr(WaysIn, "renew_hash", after_a_reset)
    client.post("/login", {"login": "ada", "password": PASSWORD})

    assert client.get("/account").status_code == 302
    assert User.objects.get().check_password(NEW)


def test_a_full_lane_is_no_fault_in_the_log(client, ada, full, caplog):
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/api/v1/auth/login", {"login": "ada", "password": PASSWORD}, JSON)

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_the_number_that_waits_is_in_the_readiness(client, full):
    assert client.get("/readyz").json()["hashes"] == 2
    full()
    assert client.get("/readyz").json()["hashes"] == 0


def test_the_settings_say_how_many_hashes_are_computed_and_how_many_wait(settings):
    settings.HASH_THREADS, settings.HASH_PLACES = 2, 5

    lane = hashers.lane.__wrapped__()  # not the one of this process

    assert lane._pool._max_workers == 2
    with crowd(lane, 7):
        pass


def test_a_process_that_is_forked_makes_a_lane_of_its_own():
    subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
        timeout=60,
    )
