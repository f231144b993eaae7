"""The JSON doors for a link opened elsewhere: the code, its other end, and "I didn't ask for this"."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import User
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory

pytestmark = pytest.mark.django_db

RELAY = "/api/v1/auth/relay"
EMAIL = "grace@example.com"


@pytest.fixture(autouse=True)
def unlimited(settings):
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def laptop():
    """The browser that asks."""
    return Client()


@pytest.fixture
def other():
    return Client()


def post(browser, path, **sent):
    return browser.post(path, sent, "application/json")


def ask(browser, mailbox, email, path="/api/v1/invite", **sent):
    """Asks for a link in JSON. Returns its token."""
    assert post(browser, path, email=email, **sent).status_code == 202
    return mailbox.link(email).partition("token=")[2]


def code_of(browser, token):
    return post(browser, RELAY, token=token).json()["code"]


def error(answer):
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_a_known_person_comes_in_where_they_asked(laptop, other, mailbox, ada):
    token = ask(laptop, mailbox, ada.email, next="/account/settings")

    shown = post(other, RELAY, token=token).json()
    assert shown.keys() == {"code", "device", "asked_at"}
    answer = post(laptop, f"{RELAY}/code", code=shown["code"])

    assert (answer.status_code, answer.json()["next"]) == (200, "/account/settings")
    assert answer.json()["user"]["username"] == "ada"
    assert SESSION_KEY not in other.session
    assert post(laptop, f"{RELAY}/code", code=shown["code"]).status_code == 200  # the same again


def test_the_browser_that_asked_needs_no_code_and_nobody_asked_for_an_invitation(laptop, other, mailbox, ada):
    token = ask(laptop, mailbox, ada.email)

    assert code_of(laptop, token) is None
    LinkFactory(email=EMAIL)
    assert MagicLink.objects.get(email=EMAIL).asked_in == ""


def test_a_second_factor_is_asked_for(laptop, other, mailbox, ada):
    phone.pair(ada)
    token = ask(laptop, mailbox, ada.email)

    assert error(post(laptop, f"{RELAY}/code", code=code_of(other, token))) == (401, "second_factor")
    assert post(laptop, "/api/v1/auth/login/code", code=phone.code()).status_code == 200


def test_a_newcomer_gets_a_token_for_the_door_that_makes_the_account(laptop, other, mailbox):
    token = ask(laptop, mailbox, EMAIL)

    answer = post(laptop, f"{RELAY}/code", code=code_of(other, token)).json()
    made = post(laptop, answer["next"], token=answer["token"], username="grace", password=PASSWORD)
    assert made.status_code == 201
    assert User.objects.get().email == EMAIL


def test_a_planned_account_is_made(laptop, other, mailbox):
    token = ask(laptop, mailbox, EMAIL, "/api/v1/auth/create", username="grace", password=PASSWORD)

    assert post(laptop, f"{RELAY}/code", code=code_of(other, token)).status_code == 201
    assert User.objects.get(username="grace").check_password(PASSWORD)


def test_a_new_password_is_chosen_where_it_was_asked_for(laptop, other, mailbox, ada):
    token = ask(laptop, mailbox, ada.email, "/api/v1/auth/reset")

    answer = post(laptop, f"{RELAY}/code", code=code_of(other, token)).json()
    saved = post(laptop, answer["next"], token=answer["token"], password="another horse battery")
    assert saved.status_code == 200
    ada.refresh_from_db()
    assert ada.check_password("another horse battery")


def test_errors_have_codes_and_five_are_enough(settings, laptop, other, mailbox, ada):
    settings.RATELIMIT_ENABLE = True
    assert error(post(laptop, f"{RELAY}/code", code="K7WQ3MTD")) == (400, "forgotten")
    token = ask(laptop, mailbox, ada.email)
    code = code_of(other, token)

    assert error(post(laptop, f"{RELAY}/code", code="")) == (400, "required")
    said = [error(post(laptop, f"{RELAY}/code", code="K7WQ3MTD")) for _ in range(6)]
    assert said == [(400, "wrong")] * 4 + [(429, "limited")] * 2
    assert error(post(laptop, f"{RELAY}/code", code=code)) == (429, "limited")
    assert SESSION_KEY not in laptop.session


def test_a_code_is_used_once(laptop, other, mailbox, ada):
    token = ask(laptop, mailbox, ada.email)
    code = code_of(other, token)
    post(other, "/api/v1/auth/confirm", token=token)

    assert error(post(laptop, f"{RELAY}/code", code=code)) == (410, "used")
    assert error(post(other, RELAY, token=token)) == (410, "used")


def test_whoever_has_not_asked_makes_the_code_worthless(laptop, other, mailbox, ada):
    token = ask(laptop, mailbox, ada.email)
    code = code_of(other, token)

    assert post(other, f"{RELAY}/not-asked", token=token).status_code == 200
    assert error(post(laptop, f"{RELAY}/code", code=code)) == (400, "wrong")
    assert code_of(other, token) is None


@pytest.mark.parametrize("door", [RELAY, f"{RELAY}/not-asked"])
def test_a_broken_token_is_not_found(client, door):
    assert error(post(client, door, token="x")) == (404, "broken")
