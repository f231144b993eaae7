"""The two products of the examples, as gunicorn serves them, attacked and told of events."""

import http.client
import json
import re
import socket
import threading
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode
from uuid import uuid4

import pytest

import frontdoor_client
from embedded import example, folders
from embedded.parts import Parts
from outbox.webhooks import signing

pytestmark = pytest.mark.slow

ORIGIN = "http://localhost:8000"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}
LARGEST = 64 * 1024


class Product:
    """A product at its socket. Whoever reaches that is believed, as nginx alone should."""

    def __init__(self, name, path, secret):
        self.name, self.path, self.secret = name, path, secret

    def ask(self, method, path, body=None, **headers):
        headers = {"Host": "localhost:8000", "X-Forwarded-Proto": "http"} | headers
        with closing(http.client.HTTPConnection("localhost", timeout=30)) as connection:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self.path))
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
        return answer

    def tell(self, event, *, about, at=None, secret=None, **fields):
        """Tells the product of an event about somebody, as deliver_webhooks does, and returns the status."""
        at, pk = at or datetime.now(UTC), uuid4()
        told = {"id": str(pk), "event": event, "occurred_at": at.isoformat(), "user": str(about)} | fields
        body = json.dumps(told).encode()
        signed = signing.headers(pk, int(datetime.now(UTC).timestamp()), body, [secret or self.secret])
        return self.ask("POST", f"/{self.name}/webhook", body, **signed, **{"Content-Type": "application/json"}).status


@pytest.fixture(scope="module")
def products():
    """Both products, and the names by which a stand-in for Frontdoor knows sessions of people."""
    sessions = {}

    class Verify(BaseHTTPRequestHandler):
        def do_GET(self):
            said = sessions.get(self.headers["Cookie"].removeprefix("frontdoor_session="))
            self.send_response(204 if said else 401)
            for name, value in (said or {}).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Verify))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        stack.callback(server.shutdown)
        folder = stack.enter_context(folders.scratch())
        parts = Parts(stack, [])
        example.start_products(parts, folder, folder, server.server_port)
        both = {}
        for name in ("notes", "board"):
            both[name] = Product(name, folder / f"{name}.sock", (folder / f"{name}.webhook_secret").read_text())
            while not both[name].path.exists():
                parts.notice_loss()
        yield both | {"sessions": sessions}


@pytest.fixture
def notes(products):
    return products["notes"]


@pytest.fixture
def board(products):
    return products["board"]


def person(name="ada", groups=""):
    """Returns the headers of somebody new."""
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    said = {"User-Id": str(uuid4()), "Username": "x", "Name": name, "Email": "x@example.com", "Groups": groups}
    return {f"X-Auth-{field}": value for field, value in (said | {"Session-Ends": ends}).items()}


def pk(headers):
    return headers["X-Auth-User-Id"]


def post(notes, who, path="/notes/", **fields):
    """Sends a form with the token and the cookie of its page."""
    page = notes.ask("GET", "/notes/", **who)
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form = urlencode({"csrfmiddlewaretoken": token} | fields)
    return notes.ask("POST", path, form, Cookie=cookie, **FORM, **who)


def write(notes, who, text):
    """Writes a note, and returns the address of its page."""
    assert post(notes, who, text=text).status == 302
    return re.search(rf'{re.escape(escape(text))}</p>.*?href="(/notes/[^"]+)"', page(notes, who), re.DOTALL)[1]


def page(notes, who):
    return notes.ask("GET", "/notes/", **who).text


# Notes


def test_whoever_is_named_by_nobody_is_let_in_nowhere(notes):
    for method, path in (("GET", "/notes/"), ("POST", "/notes/"), ("GET", f"/notes/{uuid4()}")):
        assert notes.ask(method, path, **({"Origin": ORIGIN} if method == "POST" else {})).status in {401, 403}
    assert notes.ask("GET", "/notes/", **person() | {"X-Auth-User-Id": "1 OR 1"}).status == 401
    # gunicorn drops such a name, which would become the same variable.
    assert (
        notes.ask("GET", "/notes/", **{name.replace("-", "_"): said for name, said in person().items()}).status == 401
    )


def test_people_are_greeted_by_name_and_what_they_write_is_text(notes):
    ada = person("%D0%90%D0%B4%D0%B0 <b>")

    write(notes, ada, "<script>alert(1)</script>")

    answer = notes.ask("GET", "/notes/", **ada)
    assert "<h1>Hello, Ада &lt;b&gt;</h1>" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_time_beside_a_note_is_in_utc(notes):
    ada, text, before = person(), f"of ada {uuid4()}", datetime.now(UTC)

    write(notes, ada, text)

    said = re.search(rf"{text}</p>\s*<small>ada, (.*?) UTC", page(notes, ada))[1]
    assert said in {f"{at.day} {at:%b, %H:%M}" for at in (before, datetime.now(UTC))}


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "\x00"])
def test_a_note_that_cannot_be_one_is_shown_again_with_the_reason(notes, text):
    answer = post(notes, person(), text=text)

    assert answer.status == 200
    assert "errorlist" in answer.text


def test_a_form_of_another_site_writes_nothing(notes):
    ada = person()
    page(notes, ada)
    token = "a" * 32
    form = urlencode({"csrfmiddlewaretoken": token, "text": "forged"})
    cookie = f"notes_csrf={token}"

    assert notes.ask("POST", "/notes/", urlencode({"text": "forged"}), **FORM, **ada).status == 403
    for origin in ("http://evil.example", "null", "http://localhost:8000.evil.example", "http://localhost"):
        assert notes.ask("POST", "/notes/", form, **FORM | {"Origin": origin}, Cookie=cookie, **ada).status == 403
    assert "forged" not in page(notes, ada)


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_its_cookie_is_for_https_alone_where_the_site_is(notes, scheme, secure):
    cookie = notes.ask("GET", "/notes/", **person() | {"X-Forwarded-Proto": scheme}).headers["Set-Cookie"]

    assert cookie.startswith("notes_csrf=")
    assert ("; Secure" in cookie) is secure


@pytest.mark.parametrize("groups", ["", "Writers", "editors", "Editors%2CWriters", "%20Editors"])
def test_others_may_not_change_a_note(notes, groups):
    there = write(notes, person(), f"of ada {uuid4()}")
    bob = person("bob", groups)

    assert there not in page(notes, bob)
    assert notes.ask("GET", there, **bob).status == 403
    assert post(notes, bob, there, text="changed").status == 403
    assert post(notes, bob, there, delete="1").status == 403


def test_its_writer_and_editors_may(notes):
    ada, text = person(), f"of ada {uuid4()}"
    there = write(notes, ada, text)
    editor = person("eve", "A%2CB,Editors")

    assert there in page(notes, editor)
    assert post(notes, editor, there, text="better").status == 302
    assert "better" in page(notes, ada)
    assert post(notes, ada, there, delete="1").status == 302
    assert "better" not in page(notes, ada)
    assert notes.ask("GET", there, **ada).status == 404


def test_who_has_left_leaves_nothing_behind_and_does_not_come_back(notes):
    ada, text = person(), f"of ada {uuid4()}"
    write(notes, ada, text)

    for _ in range(2):  # an event may come twice
        assert notes.tell("user.deleted", about=pk(ada)) == 204

    assert text not in page(notes, person("bob"))
    assert notes.tell("user.updated", about=pk(ada), username="ada", at=datetime.now(UTC) + timedelta(hours=1)) == 204
    # A request that nginx had let pass before the account was deleted.
    assert notes.ask("GET", "/notes/", **ada).status == 403


def test_a_new_name_stands_beside_what_was_written_and_an_old_one_does_not_come_back(notes):
    ada, bob, text = person("first"), person("bob"), f"of ada {uuid4()}"
    write(notes, ada, text)

    def told(username, minutes, **fields):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        assert notes.tell("user.updated", about=pk(ada), username=username, at=at, **fields) == 204
        return re.search(rf"{text}</p>\s*<small>(.*?),", page(notes, bob))[1]

    assert told("countess", 2) == "countess"
    assert told("older", 1) == "countess"
    assert told("countess", 3, name="Ada L.") == "Ada L."


def test_events_about_strangers_and_events_unknown_are_taken_and_ignored(notes, board):
    for product in (notes, board):
        for name in ("user.deleted", "user.updated", "user.invented", "session.revoked"):
            assert product.tell(name, about=uuid4(), username="x") in {200, 204}


def test_only_frontdoor_can_tell(notes, board):
    ada, text = person(), f"of ada {uuid4()}"
    write(notes, ada, text)

    assert notes.tell("user.deleted", about=pk(ada), secret=board.secret) == 401
    odd = {"webhook-timestamp": "9" * 4000, "webhook-signature": "é"}
    for product in (notes, board):
        there = f"/{product.name}/webhook"
        assert product.ask("POST", there, b"{}").status == 401
        assert product.ask("POST", there, b"{}", **odd).status == 401
        assert product.ask("POST", there, b"x" * (LARGEST + 1)).status in {400, 401, 413}
        assert product.ask("POST", there, iter([b"x" * 1000] * 100)).status in {400, 401, 413}
        assert product.ask("GET", there).status in {404, 405}
    assert text in page(notes, ada)


def test_other_hosts_get_no_answer(notes):
    assert notes.ask("GET", "/notes/", Host="evil.example", **person()).status == 400


# The board


@pytest.fixture
def arrived(products, board):
    """A function that lets somebody arrive, and returns their headers with the cookie of their session."""

    def arrive(name="ada", *, at=None):
        who, session = person(name), uuid4().hex
        products["sessions"][session] = who
        assert board.tell("user.created", about=pk(who), username=name, at=at) == 200
        return who | {"Cookie": f"frontdoor_session={session}"}

    return arrive


def shown(board, who):
    return board.ask("GET", "/board/", Cookie=who["Cookie"]).text


def wave(board, who, whom, **headers):
    return board.ask("POST", "/board/wave", urlencode({"whom": pk(whom)}), Cookie=who["Cookie"], **FORM | headers)


def test_whoever_is_not_signed_in_is_led_to_sign_in(board):
    for cookie in ("", "frontdoor_session=abc", "frontdoor_session=%0d%0a", "a=b;;;=;"):
        answer = board.ask("GET", "/board/", Cookie=cookie)
        assert (answer.status, answer.headers["Location"]) == (302, "/login?next=/board/")
    # What nginx says elsewhere means nothing here.
    assert board.ask("GET", "/board/", **person()).status == 302
    assert board.ask("GET", "/board/elsewhere").status == 404


def test_it_shows_who_has_just_arrived(board, arrived):
    ada, bob = arrived("<i>ada"), arrived("bob")

    text = shown(board, bob)

    assert "<h1>Hello, bob</h1>" in text
    assert text.index("<p>bob, 0 waves") < text.index("<p>&lt;i&gt;ada, 0 waves")
    assert "default-src 'none'" in board.ask("GET", "/board/", Cookie=ada["Cookie"]).headers["Content-Security-Policy"]


def test_people_wave_once_and_no_other_site_waves_for_them(board, arrived):
    ada, bob = arrived(f"ada{uuid4()}"), arrived(f"bob{uuid4()}")
    name = ada["X-Auth-Name"]

    for origin in ("http://evil.example", "null", "", "http://localhost", "https://localhost:8000"):
        assert wave(board, bob, ada, Origin=origin).status == 403
    assert board.ask("POST", "/board/wave", "whom=" + pk(ada), Cookie=bob["Cookie"]).status == 403
    assert f"{name}, 0 waves" in shown(board, bob)
    assert wave(board, bob, ada).status == 303
    assert wave(board, bob, ada).status == 303
    assert f"{name}, 1 wave<" in shown(board, bob)
    assert f"Wave at {name}" not in shown(board, bob)
    assert f"Wave at {bob['X-Auth-Name']}" not in shown(board, bob)  # that is, at themselves
    for body in ("", "whom=", "whom=%ff", "whom=" + "x" * 100_000, "whom=';DROP TABLE people"):
        assert board.ask("POST", "/board/wave", body, Cookie=bob["Cookie"], **FORM).status == 303


def test_an_ended_session_counts_with_its_event_and_for_a_change_at_once(products, board, arrived):
    ada = arrived()
    assert "Hello" in shown(board, ada)

    del products["sessions"][ada["Cookie"].partition("=")[2]]

    assert "Hello" in shown(board, ada)  # remembered
    assert wave(board, ada, ada).status == 302
    assert "Hello" not in shown(board, ada)


def test_an_event_alone_ends_what_is_remembered(products, board, arrived):
    ada = arrived()
    assert "Hello" in shown(board, ada)

    del products["sessions"][ada["Cookie"].partition("=")[2]]
    assert board.tell("session.revoked", about=pk(ada), all=True) == 200

    assert "Hello" not in shown(board, ada)


def test_who_has_left_is_gone_in_whatever_order_that_is_told(board, arrived):
    bob, name = arrived("bob"), f"ada{uuid4()}"
    ada = arrived(name)
    wave(board, bob, ada)
    assert name in shown(board, bob)

    assert board.tell("user.deleted", about=pk(ada)) == 200
    assert board.tell("user.created", about=pk(ada), username=name) == 200
    assert board.tell("user.updated", about=pk(ada), username=name, at=datetime.now(UTC) + timedelta(hours=1)) == 200

    assert name not in shown(board, bob)


def test_a_later_name_wins_even_if_it_comes_before_the_arrival(board, arrived):
    who, bob = uuid4(), arrived("bob")
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(seconds=1)

    board.tell("user.updated", about=who, username=f"second{who}", at=later)
    board.tell("user.created", about=who, username=f"first{who}", at=now)

    assert f"second{who}" in shown(board, bob)
    assert f"first{who}" not in shown(board, bob)


# How they are started


def test_the_board_is_told_of_all_that_ends_what_it_remembers():
    assert set(example.WANTED["board"]) >= frontdoor_client.ENDING


def test_nobody_else_can_enter_the_folder_of_the_sockets(products):
    folder = products["notes"].path.parent
    assert folder.stat().st_mode & 0o077 == 0
