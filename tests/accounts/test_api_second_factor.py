"""Two-step verification through the JSON doors: they keep the promises of the pages."""

from datetime import datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts.models import Event, User
from tests.tools import phone
from tests.tools.factories import PASSWORD
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FACTOR = "/api/v1/account/second-factor"
SETUP, APP, CODES = f"{FACTOR}/setup", f"{FACTOR}/app", f"{FACTOR}/recovery-codes"
SOON = timedelta(minutes=15)


@pytest.fixture
def program(ada):
    """A program signed in as Ada, who has no second factor."""
    return enter()


@pytest.fixture
def paired(ada):
    """A program signed in with a code as Ada, who has an app."""
    return with_code(phone.pair(ada))


@pytest.fixture
def proven(paired):
    """A program signed in with a code as Ada, who has given her password again as proof."""
    assert paired.send("/api/v1/auth/proof", password=PASSWORD).status_code == 200
    return paired


def enter():
    program = Program()
    assert program.sign_in("ada", PASSWORD).status_code == 200
    return program


def with_code(user):
    """Signs in with a recovery code, as no code of the app works twice. Returns the program."""
    program = Program()
    assert codes(program.sign_in(user.username, PASSWORD)) == ["second_factor"]
    answer = program.send("/api/v1/auth/login/code", code=user.second_factor.recovery_codes[0])
    assert answer.status_code == 200
    return program


def what(program):
    """Returns whether there is an app, and how many recovery codes are left."""
    said = program.get(FACTOR).json()
    return said["app"] is not None, said["recovery_codes_left"]


def test_the_first_code_of_the_app_turns_it_on_and_signs_out_elsewhere(mailbox, ada, program):
    other = enter()
    key, handle = program.cookies["frontdoor_session"].value, program.look().json()["session"]["id"]
    assert program.get(FACTOR).json() == {"app": None, "recovery_codes_left": 0, "must_stay": False}
    secret = program.send(SETUP).json()["secret"]

    answer = program.send(APP, "PUT", code=phone.code(secret), password=PASSWORD)

    assert (answer.status_code, answer.json()["user"]["username"]) == (200, "ada")
    assert len(answer.json()["recovery_codes"]) == 10
    assert other.look().status_code == 401
    assert program.look().status_code == 200
    assert program.cookies["frontdoor_session"].value != key
    assert answer.json()["session"]["id"] == program.look().json()["session"]["id"] != handle
    assert what(program) == (True, 10)
    assert program.get(CODES).json() == {"left": 10, "codes": answer.json()["recovery_codes"]}
    assert ada.events.filter(kind=Event.Kind.SECOND_FACTOR_ON).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "second_factor_on"
    assert "is on" not in words(program.get("/account"))


def test_setup_offers_one_secret_until_it_is_used_or_expires(program):
    first = program.send(SETUP)

    assert first.status_code == 200
    assert first.json()["otpauth"].startswith("otpauth://totp/")
    assert f"secret={first.json()['secret']}" in first.json()["otpauth"]
    left = datetime.fromisoformat(first.json()["ends_at"]) - timezone.now()
    assert SOON - timedelta(minutes=1) < left <= SOON
    assert program.send(SETUP).json() == first.json()
    with time_machine.travel(timezone.now() + SOON):
        later = program.send(SETUP).json()
        assert later["secret"] != first.json()["secret"]
        program.send(APP, "PUT", code=phone.code(later["secret"]), password=PASSWORD)
        assert program.send(SETUP, replace=True).json()["secret"] != later["secret"]


def test_a_wrong_first_code_turns_nothing_on_and_the_secret_stays(program):
    secret = program.send(SETUP).json()["secret"]

    answer = program.send(APP, "PUT", code=phone.wrong(secret), password=PASSWORD)

    assert (answer.status_code, fields(answer), codes(answer)) == (400, ["code"], ["mismatch"])
    assert codes(program.send(APP, "PUT", password=PASSWORD)) == ["required"]
    assert what(program) == (False, 0)
    assert program.send(SETUP).json()["secret"] == secret
    assert program.send(APP, "PUT", code=phone.code(secret), password=PASSWORD).status_code == 200


def test_a_code_without_a_setup_before_it_turns_nothing_on(program):
    answer = program.send(APP, "PUT", code=phone.code(), password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (400, ["mismatch"])
    assert what(program) == (False, 0)


def test_setting_up_an_app_uses_the_proof_up(program):
    program.send("/api/v1/auth/proof", password=PASSWORD)
    secret = program.send(SETUP).json()["secret"]
    sent = {"code": phone.code(secret)}

    assert program.send(APP, "PUT", **sent).status_code == 200

    assert codes(program.send(APP, "PUT", **sent)) == ["proof"]


@pytest.mark.parametrize(("method", "door"), [("PUT", APP), ("DELETE", FACTOR), ("POST", CODES)])
def test_a_code_is_no_proof_in_place_of_the_password(ada, paired, method, door):
    sent = {"code": phone.code(), "current": phone.code()}

    answer = paired.send(door, method, **sent)

    assert (answer.status_code, fields(answer), codes(answer)) == (403, ["password"], ["proof"])
    assert answer.json()["next"] == "/api/v1/auth/proof"
    assert User.objects.get().second_factor.is_on
    assert not ada.events.filter(kind__in=[Event.Kind.RECOVERY_CODES, Event.Kind.CODE_FAILED]).exists()
    assert paired.send(door, method, **sent, password="wrong").status_code == 400
    assert ada.second_factor.check(phone.code()) == "totp"  # the refused requests have not spent the code


def test_an_app_is_replaced_only_on_request(ada, proven):
    app = ada.second_factor.app

    answer = proven.send(SETUP)

    assert (answer.status_code, codes(answer)) == (409, ["on"])
    assert "secret" not in answer.text
    assert proven.send(SETUP, replace=False).status_code == 409
    refused = proven.send(SETUP, replace="yes")
    assert (refused.status_code, fields(refused)) == (400, ["replace"])
    assert ada.second_factor.app == app


def test_replacing_an_app_takes_a_code_of_the_old_one(mailbox, ada, proven):
    other, app, old = with_code(ada), ada.second_factor.app, ada.second_factor.recovery_codes
    secret = proven.send(SETUP, replace=True).json()["secret"]
    for current, wrong in [({}, "required"), ({"current": phone.wrong()}, "mismatch")]:
        refused = proven.send(APP, "PUT", code=phone.code(secret), **current)
        assert (refused.status_code, fields(refused), codes(refused)) == (400, ["current"], [wrong])
    assert ada.second_factor.app == app

    answer = proven.send(APP, "PUT", code=phone.code(secret), current=phone.code())

    assert answer.status_code == 200
    assert not set(answer.json()["recovery_codes"]) & set(old)
    assert ada.second_factor.app != app
    assert other.look().status_code == 401
    assert proven.look().status_code == 200
    assert ada.events.filter(kind=Event.Kind.SECOND_FACTOR_ON, detail__replaces=True).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "second_factor_on"


def test_the_answer_says_when_the_app_was_last_used(ada, paired):
    created = datetime.fromisoformat(paired.get(FACTOR).json()["app"]["created_at"])
    assert abs(created - timezone.now()) < timedelta(minutes=1)
    assert paired.get(FACTOR).json()["app"]["last_used_at"] is None

    ada.second_factor.check(phone.code())

    used = datetime.fromisoformat(paired.get(FACTOR).json()["app"]["last_used_at"])
    assert abs(used - timezone.now()) < timedelta(minutes=1)


def test_turning_it_off_takes_a_code_that_was_not_used_before(mailbox, ada, proven):
    missing = proven.send(FACTOR, "DELETE")
    assert (missing.status_code, fields(missing), codes(missing)) == (400, ["code"], ["required"])
    spent = ada.second_factor.recovery_codes[0]
    ada.second_factor.check(spent)
    again = proven.send(FACTOR, "DELETE", code=spent)
    assert (again.status_code, fields(again), codes(again)) == (400, ["code"], ["mismatch"])
    assert User.objects.get().second_factor.is_on

    answer = proven.send(FACTOR, "DELETE", code=phone.code())

    assert answer.json() == {"message": "Two‑step verification is off."}
    assert what(proven) == (False, 0)
    assert mailbox.kinds(ada.email)[-1] == "second_factor_off"


def test_turning_it_off_when_it_is_off_changes_nothing(ada, program):
    before = ada.events.count()

    assert program.send(FACTOR, "DELETE", password=PASSWORD).status_code == 200
    assert ada.events.count() == before


def test_staff_cannot_turn_it_off_where_it_is_required(paired, settings):
    settings.REQUIRE_STAFF_2FA = True
    User.objects.update(is_staff=True)

    answer = paired.send(FACTOR, "DELETE", code=phone.code(), password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (403, ["must_stay"])
    assert paired.get(FACTOR).json()["must_stay"] is True
    assert User.objects.get().second_factor.is_on


def test_new_recovery_codes_are_shown_only_in_the_session_that_made_them(mailbox, ada, proven):
    old = ada.second_factor.recovery_codes
    assert proven.get(CODES).json() == {"left": 9, "codes": None}

    answer = proven.send(CODES, code=old[0])

    made = answer.json()["codes"]
    assert answer.status_code == 201
    assert made == ada.second_factor.recovery_codes
    assert (len(made), set(made) & set(old)) == (10, set())
    assert mailbox.kinds(ada.email)[-1] == "recovery_codes"
    assert proven.get(CODES).json() == {"left": 10, "codes": made}
    assert with_code(ada).get(CODES).json() == {"left": 9, "codes": None}
    with time_machine.travel(timezone.now() + SOON):
        assert proven.get(CODES).json() == {"left": 9, "codes": None}


def test_wrong_codes_make_no_new_recovery_codes(ada, proven):
    old = ada.second_factor.recovery_codes
    for sent, wrong in [({}, "required"), ({"code": phone.wrong()}, "mismatch")]:
        answer = proven.send(CODES, **sent)

        assert (answer.status_code, fields(answer), codes(answer)) == (400, ["code"], [wrong])
    assert ada.second_factor.recovery_codes == old


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_an_app_there_are_no_recovery_codes(program, method):
    answer = program.send(CODES, method, password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (409, ["off"])


@pytest.mark.parametrize(("method", "door"), [("DELETE", FACTOR), ("POST", CODES), ("PUT", APP)])
def test_wrong_codes_at_the_page_count_here(proven, method, door):
    for _ in range(20):
        proven.post("/account/second-factor/off", {"code": phone.wrong()}, headers={"X-CSRFToken": proven.token})
    secret = proven.send(SETUP, replace=True).json()["secret"]
    sent = {"code": phone.code(secret), "current": phone.code()} if door == APP else {"code": phone.code()}

    answer = proven.send(door, method, **sent)

    assert (answer.status_code, codes(answer)) == (429, ["limited"])
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(("method", "door"), [("PUT", APP), ("POST", CODES)])
def test_changes_are_counted_together_with_those_at_pages(paired, method, door):
    for _ in range(20):
        paired.post("/account/second-factor/app", {"code": "1"}, headers={"X-CSRFToken": paired.token})

    answer = paired.send(door, method, password=PASSWORD, code=phone.code())

    assert (answer.status_code, codes(answer)) == (429, ["limited"])


@pytest.mark.parametrize(("method", "door"), [("PUT", APP), ("DELETE", FACTOR), ("POST", CODES)])
def test_sessions_that_end_meanwhile_change_nothing(ada, proven, monkeypatch, method, door):
    secret = proven.send(SETUP, replace=True).json()["secret"]
    app, left = ada.second_factor.app, ada.second_factor.recovery_codes
    original = User.lock_or_raise
    monkeypatch.setattr(User, "lock_or_raise", lambda self: (User.objects.get().end_sessions(), original(self))[1])

    sent = {"code": phone.code(secret), "current": phone.code()} if door == APP else {"code": phone.code()}
    answer = proven.send(door, method, **sent)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])
    assert (ada.second_factor.app, ada.second_factor.recovery_codes) == (app, left)


def test_recovery_codes_that_cannot_be_decrypted_cause_no_error(proven):
    Authenticator.objects.filter(type="recovery_codes").update(data={"seed": "gone", "used_mask": 0})

    assert what(proven) == (True, 0)
    assert proven.get(CODES).json() == {"left": 0, "codes": None}
    assert proven.send(CODES, code=phone.code()).status_code == 201
    assert what(proven) == (True, 10)


def test_every_door_answers_a_stranger_with_signed_out(subtests):
    doors = [("GET", FACTOR), ("DELETE", FACTOR), ("POST", SETUP), ("PUT", APP), ("GET", CODES), ("POST", CODES)]
    for method, door in doors:
        with subtests.test(door=f"{method} {door}"):
            answer = Program().send(door, method, password=PASSWORD)

            assert (answer.status_code, codes(answer)) == (401, ["signed_out"])
