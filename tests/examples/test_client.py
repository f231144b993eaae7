"""frontdoor_client: whom it believes, which calls it takes for Frontdoor's, and what it remembers."""

import ast
import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group

import frontdoor_client
from embedded.folders import BASE_DIR
from frontdoor_client import Door, verified, who
from outbox.models.webhook import new_secret
from outbox.webhooks import signing

ADA = UUID("019aa8e1-6c1f-7d10-8a53-2f1f0a6b9c44")
NOW = 1_764_500_000  # Unix seconds
SECRET, FORMER = new_secret(), new_secret()
BODY = json.dumps({"id": str(ADA), "event": "user.deleted", "user": str(ADA)}).encode()


def headers(**said):
    """Returns the headers of a request of Ada, with these changes; None leaves one out."""
    ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    usual = {"user_id": str(ADA), "username": "ada", "name": "Ada", "email": "ada@example.com", "groups": ""}
    told = usual | {"session_ends": ends} | said
    return {f"x-auth-{name.replace('_', '-')}": value for name, value in told.items() if value is not None}


# Who is this?


def test_it_says_who_sends_the_request():
    person = who(headers(groups="Editors,Sales%2C%20EU,50%25%20off,C++", name="%D0%90%D0%B4%D0%B0"))

    assert person[:4] == (ADA, "ada", "Ада", "ada@example.com")
    assert person.groups == {"Editors", "Sales, EU", "50% off", "C++"}
    assert timedelta(minutes=59) < person.session_ends - datetime.now(UTC) <= timedelta(hours=1)


def test_without_a_name_the_username_is_the_name():
    assert who(headers(name=None)).name == "ada"
    assert who(headers(name="")).name == "ada"


@pytest.mark.parametrize(
    "said",
    [
        {"user_id": None},
        {"user_id": ""},
        {"user_id": "1"},
        {"user_id": f"{ADA},{uuid4()}"},  # two headers of one name, as servers join them
        {"session_ends": None},
        {"session_ends": "soon"},
        {"session_ends": "9999-12-31T23:59:59-23:00"},
    ],
)
def test_what_makes_no_sense_names_nobody(said):
    assert who(headers(**said)) is None


def test_a_name_from_outside_cannot_add_a_group():
    assert who(headers(groups="a%2CEditors")).groups == {"a,Editors"}
    assert "Editors" not in who(headers(groups="%45ditors%2C")).groups


@pytest.mark.django_db
def test_it_reads_what_frontdoor_really_says(signed_in, ada):
    ada.groups.set([Group.objects.create(name=name) for name in ("Редакция", "Sales, EU", "100%")])

    person = who(signed_in.get("/auth/verify").headers)

    assert (person.id, person.username, person.email) == (ada.pk, "ada", "ada@example.com")
    assert person.name
    assert person.groups == {"Редакция", "Sales, EU", "100%"}


# Did Frontdoor send this?


def signed(body=BODY, sent_at=NOW, secrets=(SECRET,), **changed):
    return signing.headers(ADA, sent_at, body, secrets) | {f"webhook-{name}": said for name, said in changed.items()}


def test_a_call_of_frontdoor_is_taken():
    assert verified(SECRET, signed(), BODY, NOW) == json.loads(BODY)
    assert verified(SECRET, signed(sent_at=int(time.time())), BODY) == json.loads(BODY)


def test_while_a_secret_is_renewed_both_count():
    for secret in (SECRET, FORMER):
        assert verified(secret, signed(secrets=[SECRET, FORMER]), BODY, NOW)


@pytest.mark.parametrize("skew", [-300, 300])
def test_clocks_may_differ_by_five_minutes(skew):
    assert verified(SECRET, signed(), BODY, NOW + skew)


@pytest.mark.parametrize("skew", [-301, 301, 86_400])
def test_a_call_that_was_overheard_cannot_come_again_later(skew):
    with pytest.raises(ValueError, match="not from Frontdoor"):
        verified(SECRET, signed(), BODY, NOW + skew)


def test_a_new_time_does_not_freshen_an_old_call():
    with pytest.raises(ValueError, match="not from Frontdoor"):
        verified(SECRET, signed(timestamp=str(NOW + 1000)), BODY, NOW + 1000)


GOOD = signed()["webhook-signature"]


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": ""},
        {"signature": "v1,"},
        {"signature": GOOD[:-1]},
        {"signature": GOOD[:10]},
        {"signature": GOOD + "A"},
        {"signature": GOOD.removeprefix("v1,")},
        {"signature": GOOD.replace("v1,", "v2,")},
        {"signature": "é" + GOOD},
        {"signature": GOOD.lower()},
        {"signature": "v1,AAAA " * 900},
        {"id": str(uuid4())},
        {"id": ""},
        {"id": "\ud800"},
        {"timestamp": ""},
        {"timestamp": "now"},
        {"timestamp": f"+{NOW}"},
        {"timestamp": "9" * 5000},
        {"timestamp": "".join(chr(0x660 + int(digit)) for digit in str(NOW))},  # the same in Arabic digits
    ],
)
def test_a_forged_call_is_refused(changed):
    with pytest.raises(ValueError, match=r".+"):
        verified(SECRET, signed(**changed), BODY, NOW)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY.replace(b"deleted", b"updated"), b"\xff" * 10_000_000])
def test_another_body_is_refused(body):
    with pytest.raises(ValueError, match="not from Frontdoor"):
        verified(SECRET, signed(), body, NOW)


def test_a_call_without_headers_is_refused():
    with pytest.raises(ValueError, match="not from Frontdoor"):
        verified(SECRET, {}, BODY, NOW)


def test_dots_cannot_be_moved_between_id_and_time():
    moved = {"webhook-id": f"{ADA}.{NOW}", "webhook-timestamp": "1", "webhook-signature": GOOD}
    with pytest.raises(ValueError, match="not from Frontdoor"):
        verified(SECRET, moved, BODY, NOW)


# What it remembers


class Frontdoor:
    """A stand-in for /auth/verify: it knows some sessions, and counts the questions."""

    def __init__(self):
        self.sessions, self.asked, self.status, self.meanwhile = {}, [], None, lambda: None

    def answer(self, cookie):
        self.asked.append(cookie)
        said = self.sessions.get(cookie)
        status = self.status or (204 if said else 401)
        self.meanwhile()
        return status, said or {}


@pytest.fixture
def frontdoor():
    told = Frontdoor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, said = told.answer(self.headers["Cookie"])
            self.send_response(status)
            for name, value in said.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        told.address = f"127.0.0.1:{server.server_port}"
        told.sessions = {"session=a1": headers(), "session=b2": headers(user_id=str(uuid4()), username="bob")}
        yield told
        server.shutdown()


def event(name, user=ADA):
    return {"event": name, "user": str(user), "all": True}


def test_an_answer_is_remembered_for_its_cookie_alone(frontdoor):
    door = Door(frontdoor.address, "session")

    assert {door.ask("session=a1").id for _ in range(3)} == {ADA}
    assert door.ask("theme=dark; session=b2").username == "bob"
    assert frontdoor.asked == ["session=a1", "session=b2"]


def test_a_no_is_not_remembered(frontdoor):
    door = Door(frontdoor.address, "session")
    assert door.ask("session=c3") is None

    frontdoor.sessions["session=c3"] = headers()

    assert door.ask("session=c3").id == ADA


@pytest.mark.parametrize("name", ["session.revoked", "user.updated", "user.deleted"])
def test_what_changes_a_person_is_asked_again_about_that_person(frontdoor, name):
    door = Door(frontdoor.address, "session")
    assert door.ask("session=a1")
    assert door.ask("session=b2")

    del frontdoor.sessions["session=a1"]
    door.hear(event(name))

    assert door.ask("session=a1") is None
    assert door.ask("session=b2")
    assert len(frontdoor.asked) == 3


@pytest.mark.parametrize("told", [event("user.created"), {"event": "webhook.test"}, {"event": "invite.sent"}])
def test_other_events_change_nothing(frontdoor, told):
    door = Door(frontdoor.address, "session")
    door.ask("session=a1")

    door.hear(told)

    door.ask("session=a1")
    assert len(frontdoor.asked) == 1


def test_an_answer_that_an_event_overtakes_is_not_remembered(frontdoor):
    door = Door(frontdoor.address, "session")
    frontdoor.meanwhile = lambda: door.hear(event("session.revoked"))
    assert door.ask("session=a1")  # it was true when Frontdoor answered

    del frontdoor.sessions["session=a1"]

    assert door.ask("session=a1") is None


def test_an_answer_is_remembered_no_longer_than_it_should_be(frontdoor, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(frontdoor_client.time, "monotonic", lambda: clock[0])
    door = Door(frontdoor.address, "session", seconds=30)
    door.ask("session=a1")

    clock[0] += 29
    door.ask("session=a1")
    assert len(frontdoor.asked) == 1
    clock[0] += 2
    door.ask("session=a1")
    assert len(frontdoor.asked) == 2


def test_an_answer_is_not_remembered_past_the_end_of_its_session(frontdoor):
    frontdoor.sessions["session=a1"] = headers(session_ends="2026-03-01T09:30:00Z")
    door = Door(frontdoor.address, "session")

    door.ask("session=a1")
    door.ask("session=a1")

    assert len(frontdoor.asked) == 2


def test_who_is_about_to_change_something_asks_in_any_case(frontdoor):
    door = Door(frontdoor.address, "session")
    door.ask("session=a1")

    del frontdoor.sessions["session=a1"]

    assert door.ask("session=a1", remembered=False) is None
    assert door.ask("session=a1") is None


def test_old_answers_do_not_pile_up(frontdoor, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(frontdoor_client.time, "monotonic", lambda: clock[0])
    door = Door(frontdoor.address, "session")
    for number in range(5):
        frontdoor.sessions[f"session=n{number}"] = headers()
        door.ask(f"session=n{number}")
        clock[0] += 100

    assert len(door._known) == 1
    assert b"session" not in next(iter(door._known))


@pytest.mark.parametrize(
    "cookies",
    [
        "",
        "session",
        "session=",
        "session=a b",
        "session=a1\r\nX: 1",
        'session="a1"',
        "xsession=a1",
        "session=é",
        "x=session=a1",
    ],
)
def test_cookies_that_hold_no_session_are_not_asked_about(frontdoor, cookies):
    assert Door(frontdoor.address, "session").ask(cookies) is None
    assert frontdoor.asked == []


def test_the_dots_of_a_name_mean_themselves(frontdoor):
    assert Door(frontdoor.address, "s.ssion").ask("session=a1") is None


@pytest.mark.parametrize("status", [200, 302, 404, 500, 503])
def test_any_other_answer_lets_nobody_in(frontdoor, status):
    frontdoor.status = status

    with pytest.raises(OSError, match=str(status)):
        Door(frontdoor.address, "session").ask("session=a1")


def test_no_answer_lets_nobody_in(closed_port):
    host, port = closed_port

    with pytest.raises(OSError, match=r".+"):
        Door(f"{host}:{port}", "session").ask("session=a1")


# What it needs


def test_the_examples_need_nothing_of_frontdoor_and_the_client_only_python():
    for file in (BASE_DIR / "examples").rglob("*.py"):
        own = {"django", "frontdoor_client", "notes"} if file.name != "frontdoor_client.py" else set()
        assert set(imported(file.read_text())) <= sys.stdlib_module_names | own, file


def imported(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
