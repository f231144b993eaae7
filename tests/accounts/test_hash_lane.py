"""While too many wait for a password hash, whoever needs one is told so at once, and nothing is lost or counted."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.models import Event, User
from accounts.password import hashers
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from kit.lane import Lane
from tests.tools.factories import PASSWORD, LinkFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

BUSY = "Very many people are signing in right now. Nothing has changed. Try again in a few seconds."
JSON = "application/json"
NEW = "another horse battery staple"


@pytest.fixture
def full(monkeypatch):
    """Fills the lane of hashes until the test calls the function that this is."""
    lane, gate = Lane(1, 1), threading.Event()
    pool = ThreadPoolExecutor(2)
    waiting = [pool.submit(lane.run, gate.wait, 60) for _ in range(2)]
    while lane.inside < len(waiting):
        pass
    monkeypatch.setattr(hashers, "lane", lambda: lane)

    def empty():
        gate.set()
        for future in waiting:
            future.result(60)

    yield empty
    empty()


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


def test_the_number_that_waits_is_in_the_readiness(client, full):
    assert client.get("/readyz").json()["hashes"] == 2
    full()
    assert client.get("/readyz").json()["hashes"] == 0
