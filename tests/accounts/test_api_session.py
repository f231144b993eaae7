"""The JSON doors to a session: they keep the promises of the pages."""

import json

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.models import Event, Session, User
from accounts.models.session import SessionQuerySet
from accounts.password import guesses
from accounts.session import sessions
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes, fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(ada):
    """A program signed in as Ada."""
    program = Program()
    assert program.sign_in("ada", PASSWORD).status_code == 200
    return program


def test_the_answer_says_who_is_signed_in_and_until_when(program, ada):
    ada.groups.set([Group.objects.create(name=name) for name in ("Writers", "Editors")])
    answer = program.look()

    assert answer.status_code == 200
    called = {"username": "ada", "name": "", "email": "ada@example.com"}
    assert answer.json()["user"] == {"id": str(ada.pk), **called, "groups": ["Editors", "Writers"]}
    session = Session.objects.get()
    assert answer.json()["session"]["id"] == session.handle
    assert abs(timezone.datetime.fromisoformat(answer.json()["session"]["ends_at"]) - session.expire_date).seconds < 2
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert session.session_key not in answer.text


def test_asking_for_the_session_reads_no_body(client):
    for body in ("{", "x=1", "[" * 9999):
        assert client.generic("GET", "/api/v1/auth/session", body, "application/json").status_code == 401


def test_a_stranger_gets_401_and_a_csrf_token():
    answer = Program().look()

    assert answer.status_code == 401
    assert codes(answer) == ["signed_out"]
    assert answer.json()["csrf_token"]


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.com"])
def test_a_name_or_address_and_a_password_sign_in(ada, login):
    program = Program()

    assert program.sign_in(login, PASSWORD).status_code == 200
    assert program.get("/account").status_code == 200
    assert Event.objects.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "password"


def test_wrong_passwords_are_counted_at_the_page_and_here_together(ada):
    Client().post("/login", {"login": "ada", "password": "wrong"})
    for _ in range(limits.LOGIN_PER_NAME.most - 1):
        assert Program().sign_in("ada", "wrong").status_code == 401

    answer = Program().sign_in("ada", PASSWORD)

    assert answer.status_code == 429
    assert codes(answer) == ["limited"]
    assert 0 < int(answer["Retry-After"]) <= limits.LOGIN_PER_NAME.window.total_seconds()
    assert "Your account is not locked" in answer.json()["errors"][0]["message"]
    assert Client().post("/login", {"login": "ada", "password": PASSWORD}).status_code == 429


def test_empty_fields_are_named(ada):
    answer = Program().send("/api/v1/auth/login", login=None)

    assert answer.status_code == 400
    assert fields(answer) == ["login", "password"]
    assert codes(answer) == ["required", "required"]


def test_a_second_factor_is_asked_for(ada):
    phone.pair(ada)
    program = Program()

    answer = program.sign_in("ada", PASSWORD)

    assert answer.status_code == 401
    assert codes(answer) == ["second_factor"]
    assert codes(program.look()) == ["second_factor"]
    assert not Session.objects.filter(user=ada).exists()


def test_a_visitor_who_waits_for_a_code_starts_again_when_all_sessions_end(ada):
    phone.pair(ada)
    program = Program()
    program.sign_in("ada", PASSWORD)
    ada.end_sessions()

    assert codes(program.look()) == ["signed_out"]


def test_signing_out_ends_every_session(program, ada):
    other = Program()
    other.sign_in("ada", PASSWORD)

    answer = program.send("/api/v1/auth/logout")

    assert answer.json() == {"message": "You’re signed out on all your devices."}
    assert program.look().status_code == other.look().status_code == 401
    assert Event.objects.filter(kind=Event.Kind.SIGNED_OUT).count() == 1


def test_signing_out_here_ends_this_session_only(program):
    other = Program()
    other.sign_in("ada", PASSWORD)

    assert program.send("/api/v1/auth/logout", only="this").status_code == 200

    assert program.look().status_code == 401
    assert other.look().status_code == 200


def test_an_unknown_way_of_signing_out_is_refused_and_ends_nothing(program):
    for slip in ({"only": "others"}, {"only": None}, {"Only": "this"}, {"only": "this", "all": "no"}):
        answer = program.send("/api/v1/auth/logout", **slip)
        assert answer.status_code == 400
        assert fields(answer)[0] in slip
    assert program.look().status_code == 200


def test_one_session_ends_and_the_others_go_on(program):
    other = Program()
    other.sign_in("ada", PASSWORD)

    answer = program.send(f"/api/v1/auth/sessions/{other.look().json()['session']['id']}", "DELETE")

    assert answer.status_code == 200
    assert other.look().status_code == 401
    assert program.look().status_code == 200
    assert Event.objects.filter(kind=Event.Kind.SESSION_ENDED).count() == 1


def test_this_session_can_be_ended_by_its_id_too(program):
    own = program.look().json()["session"]["id"]

    assert program.send(f"/api/v1/auth/sessions/{own}", "DELETE").status_code == 200
    assert program.look().status_code == 401


UNREAD = {
    "as it should be": ("{}", "application/json", "", 404),
    "no JSON": ("{bad", "application/json", "", 400),
    "not in UTF-8": ("{}", "application/json; charset=utf-16", "", 415),
    "too long": ("x" * 70_000, "application/json", "", 413),
    "no such address": ("{}", "application/json", "/", 404),
}


@pytest.mark.parametrize("sent", UNREAD)
def test_a_session_key_sent_in_place_of_an_id_does_not_reach_the_log(program, caplog, sent):
    key = program.cookies["frontdoor_session"].value
    body, kind, more, status = UNREAD[sent]
    headers = {"X-CSRFToken": program.token}

    answer = program.generic("DELETE", f"/api/v1/auth/sessions/{key}{more}", body, kind, headers=headers)

    assert answer.status_code == status
    assert key not in caplog.text
    assert f"DELETE /api/v1/auth/sessions/… {status}" in caplog.text


def test_nobody_ends_somebody_elses_session(program):
    UserFactory(username="grace")
    other = Program()
    other.sign_in("grace", PASSWORD)

    answer = program.send(f"/api/v1/auth/sessions/{other.look().json()['session']['id']}", "DELETE")

    assert (answer.status_code, codes(answer)) == (404, ["not_found"])
    assert other.look().status_code == 200


def test_the_password_deletes_the_account(program):
    assert program.send("/api/v1/account", "DELETE", when="now", password=PASSWORD).status_code == 200

    assert not User.objects.exists()
    assert program.look().status_code == 401


@pytest.mark.parametrize(("sent", "status", "code"), [({}, 403, "proof"), ({"password": "wrong"}, 400, "password")])
def test_without_the_right_password_nothing_is_deleted(program, sent, status, code):
    answer = program.send("/api/v1/account", "DELETE", **sent)

    assert (answer.status_code, fields(answer), codes(answer)) == (status, ["password"], [code])
    assert User.objects.exists()


def test_an_account_without_a_password_is_asked_for_a_mailed_link(program, ada):
    ada.set_unusable_password()
    ada.save()
    program.force_login(ada)
    program.look()

    answer = program.send("/api/v1/account", "DELETE")

    assert (answer.status_code, codes(answer)) == (403, ["proof"])
    assert answer.json()["next"] == "/api/v1/auth/proof/link"
    assert User.objects.exists()


def test_deleting_is_limited_as_on_the_page(program):
    for _ in range(10):
        program.send("/api/v1/account", "DELETE", password="wrong")

    assert program.send("/api/v1/account", "DELETE", password=PASSWORD).status_code == 429
    assert (
        program.post("/account/delete", {"password": PASSWORD, "csrfmiddlewaretoken": program.token}).status_code == 429
    )


def test_a_database_that_fails_removes_nothing_and_says_so(program, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(User, "erase", fail)

    answer = program.send("/api/v1/account", "DELETE", when="now", password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (503, ["unavailable"])
    assert "Nothing has been removed" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/auth/logout"),
        ("DELETE", "/api/v1/account"),
        ("DELETE", "/api/v1/auth/sessions/" + "0" * 32),
    ],
)
def test_a_stranger_is_answered_with_signed_out(method, path):
    answer = Program().send(path, method)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])


def test_a_session_ends_after_twelve_hours(program):
    with time_machine.travel(timezone.now() + timezone.timedelta(hours=12, seconds=1)):
        answer = program.send("/api/v1/auth/logout")

    assert codes(answer) == ["signed_out"]
    assert "has ended" in answer.json()["errors"][0]["message"]


def test_a_request_without_the_csrf_token_is_refused_in_json(ada):
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/api/v1/auth/login", {"login": "ada", "password": PASSWORD}, "application/json")

    assert (answer.status_code, codes(answer)) == (403, ["csrf"])
    assert not Session.objects.exists()


def test_answers_are_in_the_language_that_was_asked_for(ada):
    answer = Program().send("/api/v1/auth/login", language="ru", login="ada", password="wrong")

    assert "указаны неверно" in answer.json()["errors"][0]["message"]
    assert answer["Content-Language"] == "ru"


def test_over_https_the_origin_must_be_this_site(ada, settings):
    settings.SITE_URL = "https://testserver"
    client = Client(enforce_csrf_checks=True)
    token = client.get("/api/v1/auth/session", secure=True).json()["csrf_token"]

    def sign_in(**headers):
        sent = {"login": "ada", "password": PASSWORD}
        headers = {"X-CSRFToken": token, **headers}
        return client.post("/api/v1/auth/login", sent, "application/json", secure=True, headers=headers)

    assert "Origin" in sign_in().json()["errors"][0]["message"]
    assert sign_in(Origin="https://evil.example").status_code == 403
    assert sign_in(Origin="https://testserver").status_code == 200


def test_a_message_is_not_left_over_for_the_next_page(program):
    program.send("/api/v1/auth/logout")

    assert "signed out" not in program.get("/login").text


NO_OBJECTS = ["{", "[]", '"x"', '{"login": "a", "login": "b"}', '{"login": "\\u0000"}', "[" * 9999]


def test_a_body_that_is_no_object_of_texts_is_refused(subtests):
    for body in NO_OBJECTS:
        with subtests.test(body=body):
            answer = Client().post("/api/v1/auth/login", body, "application/json")

            assert (answer.status_code, codes(answer)) == (400, ["malformed"])


def test_deeply_nested_json_is_refused_whichever_parser_stops_first():
    answers = [Client().post("/api/v1/auth/login", nested(depth), "application/json") for depth in range(9900, 9990)]

    assert {answer.status_code for answer in answers} == {400}


def nested(depth):
    return '{"a":' + "[" * depth + "]" * depth + "}"


def test_json_is_utf_8():
    body = json.dumps({"login": "ada", "password": PASSWORD}).encode("utf-16")

    assert codes(Client().post("/api/v1/auth/login", body, "application/json")) == ["malformed"]


def test_a_chunked_body_is_refused_and_not_taken_for_an_empty_one(program):
    answer = program.post(
        "/api/v1/auth/logout",
        headers={"Transfer-Encoding": "chunked", "X-CSRFToken": program.token},
        content_type="application/json",
    )

    assert (answer.status_code, codes(answer)) == (411, ["length_required"])
    assert program.look().status_code == 200


def test_a_field_that_is_no_text_is_named(subtests):
    for value in (5, True, ["ada"], {"a": "b"}, 1e400):
        with subtests.test(value=value):
            answer = Client().post("/api/v1/auth/login", json.dumps({"login": value}), "application/json")

            assert (answer.status_code, fields(answer)) == (400, ["login"])


def test_only_json_is_read():
    answer = Client().post("/api/v1/auth/login", {"login": "ada", "password": PASSWORD})

    assert (answer.status_code, codes(answer)) == (415, ["unsupported"])


def test_an_unknown_method_is_answered_with_the_known_ones():
    answer = Program().send("/api/v1/auth/login", "PUT")

    assert (answer.status_code, answer["Allow"]) == (405, "POST, DELETE")


def test_a_body_that_is_too_large_and_an_unknown_path_are_answered_in_json(client):
    too_much = client.post("/api/v1/auth/login", "[" * (64 * 1024 + 1), "application/json")
    nothing = client.get("/api/v1/nothing", headers={"Accept-Language": "ru"})

    assert (too_much.status_code, codes(too_much)) == (413, ["too_large"])
    assert (nothing.status_code, codes(nothing)) == (404, ["not_found"])
    assert "адрес" in nothing.json()["errors"][0]["message"]


@pytest.mark.parametrize("length", ["", "0", "00"])
def test_an_empty_body_counts_as_an_empty_object(client, length):
    answer = client.generic("POST", "/api/v1/auth/login", "", "application/json", CONTENT_LENGTH=length)

    assert (answer.status_code, fields(answer)) == (400, ["login", "password"])


def test_no_password_and_no_token_is_logged(program, caplog):
    program.send("/api/v1/account", "DELETE", password="wrong but secret")

    assert "secret" not in caplog.text
    assert program.token not in caplog.text


# An account that is deleted meanwhile


def gone_before(monkeypatch, owner, name):
    """Replaces `owner.name` by a function that first deletes the account, then does the work."""
    original = getattr(owner, name)

    def late(*args, **kwargs):
        User.objects.get().delete()
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, late)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_signing_in_to_an_account_that_is_being_deleted_causes_no_500(ada, monkeypatch, password):
    gone_before(monkeypatch, sessions, "enter")
    gone_before(monkeypatch, guesses, "record")
    program = Program()

    answer = program.sign_in("ada", password)

    assert answer.status_code == 401
    assert codes(answer) == ["signed_out" if password == PASSWORD else "mismatch"]
    assert "frontdoor_messages" not in program.cookies


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("owner", "verb"), [(User, "sign_out"), (SessionQuerySet, "end")])
def test_ending_sessions_of_an_account_that_is_being_deleted_causes_no_500(program, monkeypatch, owner, verb):
    Program().sign_in("ada", PASSWORD)
    handle = Session.objects.last().handle
    gone_before(monkeypatch, owner, verb)

    if verb == "sign_out":
        answer = program.send("/api/v1/auth/logout")
    else:
        answer = program.send(f"/api/v1/auth/sessions/{handle}", "DELETE")

    assert answer.status_code in {401, 404}
    assert codes(answer)[0] in {"signed_out", "not_found"}


@pytest.mark.django_db(transaction=True)
def test_signing_out_of_an_account_that_is_being_deleted_leads_to_sign_in(program, monkeypatch):
    gone_before(monkeypatch, User, "sign_out")

    answer = program.post("/logout", {"csrfmiddlewaretoken": program.token})

    assert (answer.status_code, answer["Location"]) == (302, "/login")
