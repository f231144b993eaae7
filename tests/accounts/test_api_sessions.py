"""The JSON doors to the sessions of an account: listing them, and ending one."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Event, Session
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/auth/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOURS = timedelta(hours=12)


@pytest.fixture
def program(ada):
    """A program signed in as Ada."""
    return enter("ada")


def enter(name, **given):
    program = Program(**given)
    assert program.sign_in(name, PASSWORD).status_code == 200
    return program


def listed(program):
    answer = program.get(SESSIONS)
    assert answer.status_code == 200
    return answer.json()["sessions"]


def handle(program):
    return program.look().json()["session"]["id"]


def end(program, name):
    return program.send(f"{SESSIONS}/{name}", "DELETE")


def test_a_session_is_listed_with_where_and_when_it_began(ada):
    program = enter("ada", headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")

    [row] = listed(program)

    assert row | {"created_at": "", "ends_at": ""} == {
        "id": handle(program),
        "device": "Firefox on Windows",
        "ip": "203.0.113.7",
        "created_at": "",
        "ends_at": "",
        "is_current": True,
    }
    began, ends = (datetime.fromisoformat(row[name]) for name in ("created_at", "ends_at"))
    assert abs(began - timezone.now()) < timedelta(minutes=1)
    assert abs(ends - began - HOURS) < timedelta(seconds=1)


def test_this_session_is_listed_first_and_then_the_newest(program):
    others = [enter("ada") for _ in range(2)]

    rows = listed(program)

    assert [row["id"] for row in rows] == [handle(program), handle(others[1]), handle(others[0])]
    assert [row["is_current"] for row in rows] == [True, False, False]
    assert [row["is_current"] for row in listed(others[0])] == [True, False, False]


def test_the_list_holds_no_session_key(program):
    enter("ada")
    text = program.get(SESSIONS).text

    assert not [session for session in Session.objects.all() if session.session_key in text]


def test_the_list_holds_only_sessions_of_this_user_that_still_run(program):
    UserFactory(username="grace")
    enter("grace")
    ended = enter("ada")
    Session.objects.filter(handle=handle(ended)).update(expire_date=timezone.now())

    assert [row["id"] for row in listed(program)] == [handle(program)]


def test_a_device_that_nobody_knows_is_listed_without_a_name(program):
    Session.objects.update(device="")

    assert [row["device"] for row in listed(program)] == [""]


def test_a_session_is_ended_by_its_id_and_leaves_the_list(ada, program):
    other = enter("ada")
    theirs = next(row["id"] for row in listed(program) if not row["is_current"])

    answer = end(program, theirs)

    assert (answer.status_code, list(answer.json())) == (200, ["message"])
    assert [row["id"] for row in listed(program)] == [handle(program)]
    assert other.look().status_code == 401
    assert ada.events.filter(kind=Event.Kind.SESSION_ENDED).count() == 1


def test_ending_this_session_signs_out_no_other(program):
    other = enter("ada")

    answer = end(program, handle(program))

    assert answer.status_code == 200
    assert answer.cookies["frontdoor_session"]["max-age"] == 0
    assert program.get(SESSIONS).status_code == 401
    assert [row["is_current"] for row in listed(other)] == [True]


@pytest.mark.parametrize("name", ["another's", "made up", "ended already", "a key"])
def test_an_id_that_names_no_session_of_this_user_ends_nothing(ada, program, name):
    UserFactory(username="grace")
    grace, ended = enter("grace"), enter("ada")
    gone = handle(ended)
    end(program, gone)
    before = Session.objects.count(), Event.objects.count()
    key = program.cookies["frontdoor_session"].value

    answer = end(program, {"another's": handle(grace), "made up": "0" * 32, "ended already": gone, "a key": key}[name])

    assert (answer.status_code, codes(answer)) == (404, ["not_found"])
    assert (Session.objects.count(), Event.objects.count()) == before
    assert program.look().status_code == grace.look().status_code == 200


def test_a_session_keeps_its_id_when_it_is_prolonged(program):
    name, key = handle(program), program.cookies["frontdoor_session"].value
    with time_machine.travel(timezone.now() + HOURS - timedelta(minutes=30)):
        assert program.send("/api/v1/auth/proof", password=PASSWORD).status_code == 200

        assert program.cookies["frontdoor_session"].value != key
        assert [row["id"] for row in listed(program)] == [name]


@pytest.mark.parametrize(("method", "path"), [("GET", SESSIONS), ("DELETE", f"{SESSIONS}/{'0' * 32}")])
def test_a_stranger_is_answered_with_signed_out(method, path):
    answer = Program().send(path, method)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])
