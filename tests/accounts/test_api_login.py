"""Signing in through the JSON doors, by a password and then a code: they keep the promises of the pages."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import get_resolver
from django.utils import timezone

from accounts import limits
from accounts.models import Event, Session, User
from accounts.session import devices, sessions
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes, fields
from tests.tools.tries import use_up_tries

pytestmark = pytest.mark.django_db

WRONG = "not the password of anybody"
LOGIN, CODE = "/api/v1/auth/login", "/api/v1/auth/login/code"
BACK_FROM_GOOGLE = "/api/v1/auth/google/response"  # for people on their way back, who see pages


@pytest.fixture
def waiting(ada):
    """Ada's program, which has shown her password and waits for a code."""
    phone.pair(ada)
    return wait()


def wait():
    program = Program()
    assert codes(program.sign_in("ada", PASSWORD)) == ["second_factor"]
    return program


def enter(program, code, **sent):
    return program.send(CODE, code=code, **sent)


def is_refused(answer):
    """Returns whether the answer says that nobody is signed in or waits for a code."""
    return (answer.status_code, codes(answer)) == (401, ["signed_out"])


# The password


def test_a_password_starts_a_session_and_its_owner_hears_of_a_new_device(mailbox, ada):
    program = Program()

    answer = program.sign_in("ada", PASSWORD)

    assert answer.status_code == 200
    assert answer.json()["user"] == {"id": str(ada.pk), "username": "ada", "name": "", "email": "ada@example.com"}
    seen = program.look().json()
    assert seen["session"] == answer.json()["session"]
    assert seen["user"] == answer.json()["user"] | {"groups": []}  # which signing in does not read
    assert ada.events.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "password"
    assert mailbox.kinds(ada.email) == ["new_device"]


def test_the_answer_holds_the_csrf_token_that_works_from_then_on(ada):
    program = Program()
    token = program.look().json()["csrf_token"]

    after = program.sign_in("ada", PASSWORD).json()["csrf_token"]

    statuses = [
        program.post("/api/v1/auth/logout", {}, "application/json", headers={"X-CSRFToken": sent}).status_code
        for sent in (token, after)
    ]
    assert statuses == [403, 200]


def test_signing_in_while_signed_in_changes_nothing_and_checks_no_password(ada, hashes):
    program = Program()
    program.sign_in("ada", PASSWORD)
    hashes.clear()

    assert program.sign_in("ada", WRONG).status_code == 200
    assert hashes == []


def test_a_wrong_password_costs_one_hash_and_gets_one_answer_for_every_name(ada, mailbox, hashes):
    UserFactory(username="idle", email="idle@example.com", is_active=False)
    UserFactory(username="google", email="google@example.com", password=None)
    phone.pair(UserFactory(username="paired"))
    before = len(mailbox.letters())  # one mail says that two-step verification was turned on
    seen = []
    for name in ("ada", "ada@example.com", "idle", "google@example.com", "paired", "nobody", "nobody@example.com"):
        program, failed = Program(), Event.objects.filter(kind=Event.Kind.FAILED).count()
        hashes.clear()
        answer = program.sign_in(name, WRONG)
        failed = Event.objects.filter(kind=Event.Kind.FAILED).count() - failed
        seen.append((answer.status_code, answer.json(), sorted(program.cookies), len(hashes), failed))

    assert all(answer == seen[0] for answer in seen)
    assert (seen[0][0], fields(answer), codes(answer)) == (401, [None], ["mismatch"])
    assert seen[0][3:] == (1, 1)
    assert len(mailbox.letters()) == before


def test_an_account_that_is_turned_off_is_not_entered(ada):
    User.objects.update(is_active=False)

    assert codes(Program().sign_in("ada", PASSWORD)) == ["mismatch"]


def test_after_too_many_wrong_passwords_none_is_checked(ada, hashes):
    use_up_tries()
    hashes.clear()

    answer = Program().sign_in("ada", PASSWORD)

    assert (answer.status_code, codes(answer)) == (429, ["limited"])
    assert hashes == []


def test_many_tries_from_one_network_are_refused(db):
    answers = [Program().sign_in("", PASSWORD) for _ in range(61)]

    assert [answer.status_code for answer in answers] == [400] * 60 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


# All doors


def doors():
    """Returns the path of each JSON door, whatever its methods."""
    routes = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    paths = ["/" + re.sub(r"<\w+:\w+>", "0" * 32, route) for route in routes if route.startswith("api/v1/")]
    assert {LOGIN, CODE} < set(paths)
    return [path for path in paths if path != BACK_FROM_GOOGLE]


def test_no_door_changes_anything_without_the_csrf_token(ada, subtests):
    program = Program()
    program.sign_in("ada", PASSWORD)
    for door in doors():
        with subtests.test(door=door):
            answers = [program.generic(method, door) for method in ("POST", "PUT", "PATCH", "DELETE")]

            assert {(answer.status_code, *codes(answer)) for answer in answers} == {(403, "csrf")}


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS"])
def test_every_door_names_its_methods_in_an_answer_that_is_not_cached(subtests, method):
    program = Program()
    for door in doors():
        if door == "/api/v1/openapi.json":
            continue
        with subtests.test(door=door):
            answer = program.send(door, method)

            assert (answer.status_code, codes(answer)) == (405, ["method"])
            assert set(answer["Allow"].split(", ")) <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
            assert "no-store" in answer["Cache-Control"]


def test_unknown_methods_and_doors_are_answered_in_json(subtests):
    for method, path, status, allowed in [
        ("GET", LOGIN, 405, "POST, DELETE"),
        ("PUT", LOGIN, 405, "POST, DELETE"),
        ("GET", CODE, 405, "POST"),
        ("POST", "/api/v1/auth/sessions", 405, "GET, HEAD"),
        ("POST", "/api/v1/auth/login/link", 404, None),
    ]:
        with subtests.test(door=f"{method} {path}"):
            answer = Program().send(path, method)

            assert (answer.status_code, answer.headers.get("Allow")) == (status, allowed)
            assert answer.json()["errors"][0]["message"]
            assert "no-store" in answer["Cache-Control"]


# The code


def test_a_right_password_without_a_code_opens_nothing_and_names_the_next_door(ada, waiting):
    answer = waiting.sign_in("ada", PASSWORD)

    assert (answer.status_code, answer.json()["next"]) == (401, CODE)
    assert waiting.look().json()["next"] == CODE
    assert waiting.get("/account").status_code == 302
    assert waiting.get("/api/v1/account").status_code == 401
    assert not Session.objects.filter(user=ada).exists()
    assert not ada.events.filter(kind=Event.Kind.SIGNED_IN).exists()


def test_both_steps_take_a_new_session_id(mailbox, ada):
    phone.pair(ada)
    program = Program()
    session = program.session
    session["planted"] = "1"
    session.save()
    ids = [session.session_key]
    program.cookies["frontdoor_session"] = session.session_key

    program.sign_in("ada", PASSWORD)
    ids.append(program.cookies["frontdoor_session"].value)
    answer = enter(program, phone.code())
    ids.append(program.cookies["frontdoor_session"].value)

    assert (answer.status_code, answer.json()["user"]["username"], answer.json()["next"]) == (200, "ada", None)
    assert len(set(ids)) == 3
    assert program.look().status_code == 200
    assert ada.events.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "password"
    assert mailbox.kinds(ada.email)[-1] == "new_device"


def test_a_code_that_is_pressed_twice_is_no_error(ada, waiting):
    code = phone.code()

    assert [enter(waiting, code).status_code for _ in range(2)] == [200, 200]
    assert ada.events.filter(kind=Event.Kind.SIGNED_IN).count() == 1


def test_a_code_works_once_and_wrong_ones_are_recorded(ada, waiting):
    second, code = wait(), phone.code()
    assert enter(waiting, code).status_code == 200

    again = enter(second, code)

    assert (again.status_code, fields(again), codes(again)) == (400, ["code"], ["mismatch"])
    assert ada.events.filter(kind=Event.Kind.CODE_FAILED).count() == 1
    assert second.get("/account").status_code == 302
    assert codes(second.look()) == ["second_factor"]


def test_a_missing_code_is_refused_as_required_and_is_not_counted(ada, waiting):
    for _ in range(limits.FACTOR_PER_USER.most):
        answer = waiting.send(CODE)
        assert (answer.status_code, fields(answer), codes(answer)) == (400, ["code"], ["required"])

    assert enter(waiting, phone.code()).status_code == 200
    assert not ada.events.filter(kind=Event.Kind.CODE_FAILED).exists()


def test_wrong_codes_at_the_page_count_here(waiting):
    for _ in range(limits.FACTOR_PER_USER.most):
        waiting.post("/login/code", {"code": phone.wrong()}, headers={"X-CSRFToken": waiting.token})

    answer = enter(waiting, phone.code())

    assert (answer.status_code, codes(answer)) == (429, ["limited"])
    assert "on a device you have used before" in answer.json()["errors"][0]["message"]
    assert int(answer["Retry-After"]) > 0


def test_many_codes_from_one_network_are_refused(db):
    statuses = [Program().send(CODE, code="1").status_code for _ in range(61)]

    assert statuses == [401] * 60 + [429]


def test_after_a_sign_in_begun_at_a_page_the_answer_holds_the_next_of_that_page(ada):
    phone.pair(ada)
    program = Program()
    program.look()
    sent = {"login": "ada", "password": PASSWORD, "next": "/account/settings"}
    program.post("/login", sent, headers={"X-CSRFToken": program.token})

    answer = enter(program, phone.code())

    assert (answer.status_code, answer.json()["next"]) == (200, "/account/settings")


def test_a_trusted_browser_is_asked_for_no_code(waiting):
    answer = enter(waiting, phone.code(), trust=True)
    assert answer.cookies[f"frontdoor_{devices.TRUSTED}"]["max-age"] == devices.TRUSTED_FOR.total_seconds()
    waiting.send("/api/v1/auth/logout", only="this")

    assert waiting.sign_in("ada", PASSWORD).status_code == 200


@pytest.mark.parametrize("trust", [False, None])
def test_a_browser_that_is_not_to_be_trusted_is_asked_again(waiting, trust):
    enter(waiting, phone.code(), trust=trust)
    assert f"frontdoor_{devices.TRUSTED}" not in waiting.cookies
    waiting.send("/api/v1/auth/logout", only="this")

    assert codes(waiting.sign_in("ada", PASSWORD)) == ["second_factor"]


@pytest.mark.parametrize("trust", ["false", "", 1, []])
def test_trust_that_is_neither_true_nor_false_opens_nothing(waiting, trust):
    answer = enter(waiting, phone.code(), trust=trust)

    assert (answer.status_code, fields(answer), codes(answer)) == (400, ["trust"], ["invalid"])
    assert f"frontdoor_{devices.TRUSTED}" not in waiting.cookies
    assert enter(waiting, phone.code()).status_code == 200  # the refused try has not spent the code


def test_a_code_is_refused_from_a_visitor_who_has_passed_no_first_step(ada):
    phone.pair(ada)

    assert is_refused(enter(Program(), phone.code()))


def test_the_code_must_come_within_fifteen_minutes(waiting):
    with time_machine.travel(timezone.now() + timedelta(minutes=15)):
        assert is_refused(waiting.look())
        assert is_refused(enter(waiting, phone.code()))


@pytest.mark.parametrize("gone", ["deleted", "turned off", "without an app"])
def test_a_visitor_whose_account_changes_before_the_code_starts_again(ada, waiting, gone):
    user = User.objects.get()
    {"deleted": user.delete, "turned off": user.turn_off, "without an app": user.second_factor.turn_off}[gone]()

    assert is_refused(waiting.look())
    assert is_refused(enter(waiting, phone.code()))
    assert waiting.get("/account").status_code == 302


@pytest.mark.parametrize("when", ["before the code", "while it is checked", "after it was right"])
def test_a_visitor_who_waits_for_a_code_starts_again_when_all_sessions_end(ada, waiting, monkeypatch, when):
    end = lambda: User.objects.get(pk=ada.pk).end_sessions()  # noqa: E731
    if when == "before the code":
        end()
    elif when == "while it is checked":
        original = User.lock_or_raise
        monkeypatch.setattr(User, "lock_or_raise", lambda self: (end(), original(self))[1])
    else:
        original = sessions.enter
        monkeypatch.setattr(sessions, "enter", lambda *given, **more: (end(), original(*given, **more)))

    answer = enter(waiting, phone.code(), trust=True)

    assert is_refused(answer)
    assert "next" not in answer.json()
    assert is_refused(waiting.look())
    assert not {f"frontdoor_{devices.COOKIE}", f"frontdoor_{devices.TRUSTED}"} & set(waiting.cookies)
    assert not ada.events.filter(kind=Event.Kind.SIGNED_IN).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("typed", ["right", "wrong"])
def test_an_account_deleted_while_its_code_is_checked_causes_no_500(waiting, monkeypatch, typed):
    original = User.lock_or_raise
    monkeypatch.setattr(
        User, "lock_or_raise", lambda self: (User.objects.filter(pk=self.pk).delete(), original(self))[1]
    )

    assert is_refused(enter(waiting, phone.code() if typed == "right" else phone.wrong()))
    assert is_refused(waiting.look())


# Giving the first step up


def test_the_first_step_can_be_given_up_for_another_account(waiting):
    UserFactory(username="grace")

    for _ in range(2):  # pressed twice
        answer = waiting.send(LOGIN, "DELETE")
        assert (answer.status_code, list(answer.json())) == (200, ["message"])

    assert is_refused(waiting.look())
    assert is_refused(enter(waiting, phone.code()))
    assert waiting.sign_in("grace", PASSWORD).json()["user"]["username"] == "grace"
    assert waiting.look().status_code == 200


def test_signing_in_to_another_account_ends_the_wait_for_a_code(waiting):
    UserFactory(username="grace")

    assert waiting.sign_in("grace", PASSWORD).status_code == 200

    assert enter(waiting, phone.code()).json()["user"]["username"] == "grace"


def test_giving_up_signs_nobody_out(ada):
    program = Program()
    program.sign_in("ada", PASSWORD)

    assert program.send(LOGIN, "DELETE").status_code == 200
    assert program.look().status_code == 200


def test_while_a_code_is_missing_every_door_names_the_door_for_it(ada, subtests):
    phone.pair(ada)
    program = Program()
    program.sign_in("ada", PASSWORD)
    for method, door in [("GET", "account"), ("POST", "auth/proof"), ("GET", "auth/sessions"), ("DELETE", "account")]:
        with subtests.test(door):
            answer = program.send(f"/api/v1/{door}", method)

            assert (answer.status_code, codes(answer)) == (401, ["second_factor"])
            assert answer.json()["next"] == "/api/v1/auth/login/code"


def test_after_a_recovery_code_the_answer_counts_the_codes_that_are_left(ada):
    phone.pair(ada)
    program = Program()
    program.sign_in("ada", PASSWORD)

    answer = program.send("/api/v1/auth/login/code", code=ada.second_factor.recovery_codes[0])

    assert answer.json()["recovery_codes_left"] == 9
