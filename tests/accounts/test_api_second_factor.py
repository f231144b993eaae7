"""Two-step verification through allauth.headless's protocol: the promises of the pages hold here too."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import Event, User
from tests.tools import phone
from tests.tools.factories import PASSWORD
from tests.tools.headless import ask, flows, said
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

ALL, APP, CODES = "account/authenticators", "account/authenticators/totp", "account/authenticators/recovery-codes"


def with_code(user):
    """The browser of somebody who came in with a recovery code; those of an app pass again only after a while."""
    client = Client()
    client.post("/login", {"login": user.username, "password": PASSWORD})
    assert client.post("/login/code", {"code": user.second_factor.recovery_codes[0]}).url == "/account"
    return client


@pytest.fixture
def proven(signed_in):
    assert ask(signed_in, "POST", "auth/reauthenticate", {"password": PASSWORD}).status_code == 200
    return signed_in


@pytest.fixture
def paired(ada):
    """Ada, signed in with a code, who has shown her password again."""
    client = with_code(phone.pair(ada))
    assert ask(client, "POST", "auth/reauthenticate", {"password": PASSWORD}).status_code == 200
    return client


def types(client):
    return [row["type"] for row in ask(client, "GET", ALL).json()["data"]]


def test_the_first_code_of_the_app_turns_it_on_and_signs_out_elsewhere(mailbox, ada, proven):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    offered = ask(proven, "GET", APP)
    secret = offered.json()["meta"]["secret"]
    assert offered.status_code == 404
    assert offered.json()["meta"]["totp_url"].startswith("otpauth://totp/")
    assert said(ask(proven, "POST", APP, {"code": phone.wrong(secret)})) == [("mismatch", "code")]

    code = phone.code(secret)
    answer = ask(proven, "POST", APP, {"code": code})

    assert (answer.status_code, answer.json()["data"]["type"]) == (200, "totp")
    assert other.get("/account").status_code == 302
    assert types(proven) == ["totp", "recovery_codes"]
    assert ada.events.filter(kind=Event.Kind.SECOND_FACTOR_ON).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "second_factor_on"
    assert len(ask(proven, "GET", CODES).json()["data"]["unused_codes"]) == 10
    assert "is on" not in words(proven.get("/account"))
    assert ask(proven, "POST", APP, {"code": code}).status_code == 401  # what was proven was for that one change
    assert ask(proven, "GET", APP).status_code == 200


def test_no_code_stands_for_the_password(ada):
    client = with_code(phone.pair(ada))

    for method, door in [("POST", APP), ("DELETE", APP), ("POST", CODES)]:
        answer = ask(client, method, door, {"code": phone.code()})

        assert answer.status_code == 401
        assert list(flows(answer)) == ["reauthenticate"]
    assert User.objects.get().second_factor.is_on
    assert not ada.events.filter(kind=Event.Kind.RECOVERY_CODES).exists()


def test_an_app_that_is_there_stays(ada, paired):
    assert ask(paired, "POST", APP, {"code": phone.code()}).status_code == 409
    assert "secret" not in ask(paired, "GET", APP).text


def test_it_is_turned_off_with_a_code_that_works_once(mailbox, ada, paired):
    assert said(ask(paired, "DELETE", APP)) == [("required", "code")]
    spent = ada.second_factor.recovery_codes[0]
    ask(paired, "POST", CODES, {"code": spent})
    assert said(ask(paired, "DELETE", APP, {"code": spent})) == [("mismatch", "code")]
    assert User.objects.get().second_factor.is_on

    assert ask(paired, "DELETE", APP, {"code": phone.code()}).status_code == 200

    assert types(paired) == []
    assert ask(paired, "GET", CODES).status_code == 404
    assert mailbox.kinds(ada.email)[-1] == "second_factor_off"


def test_staff_who_must_keep_it_keep_it(ada, paired, settings):
    settings.REQUIRE_STAFF_2FA = True
    User.objects.update(is_staff=True)

    assert ask(paired, "DELETE", APP, {"code": phone.code()}).status_code == 403
    assert User.objects.get().second_factor.is_on


def test_new_recovery_codes_are_shown_where_they_were_made_only(mailbox, ada, paired):
    old = ada.second_factor.recovery_codes
    assert "unused_codes" not in ask(paired, "GET", CODES).json()["data"]

    made = ask(paired, "POST", CODES, {"code": old[0]}).json()["data"]

    assert set(made["unused_codes"]) == set(ada.second_factor.recovery_codes)
    assert not set(made["unused_codes"]) & set(old)
    assert (made["total_code_count"], made["unused_code_count"]) == (10, 10)
    assert mailbox.kinds(ada.email)[-1] == "recovery_codes"
    assert ask(paired, "GET", CODES).json()["data"]["unused_codes"] == made["unused_codes"]
    other = with_code(ada)
    assert "unused_codes" not in ask(other, "GET", CODES).json()["data"]


def test_without_an_app_there_are_no_recovery_codes(proven):
    assert said(ask(proven, "POST", CODES)) == [("cannot_generate_recovery_codes", None)]
    assert ask(proven, "GET", CODES).status_code == 404


def test_wrong_codes_at_the_page_count_here(paired):
    for _ in range(20):
        paired.post("/account/second-factor/off", {"code": phone.wrong()})

    assert ask(paired, "DELETE", APP, {"code": phone.code()}).status_code == 429


def test_a_key_that_is_lost_is_no_error(paired):
    Authenticator.objects.filter(type="recovery_codes").update(data={"seed": "gone", "used_mask": 0})

    assert types(paired) == ["totp"]
    assert ask(paired, "GET", CODES).status_code == 404
    assert ask(paired, "POST", CODES, {"code": phone.code()}).status_code == 200
