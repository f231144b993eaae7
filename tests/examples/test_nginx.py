"""The configuration of nginx in the examples: what reaches the products, and what does not."""

import http.client
import json
import shutil
import socket
import threading
import time
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import ThreadingUnixStreamServer

import pytest

from embedded import children, example, folders
from embedded.servers import free_port

NGINX = shutil.which("nginx", path=example.PATH)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not NGINX, reason="no nginx")]

ADA = {"User-Id": "7", "Username": "ada", "Name": "Ada%20L", "Email": "ada@example.com", "Groups": "Editors"}
SIGNED_IN = "theme=dark; frontdoor_session=good; notes_csrf=token; frontdoor_csrf=secret"
FIELDS = ("User-Id", "Username", "Name", "Email", "Groups", "Session-Ends")


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, said=b"", **headers):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(said))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_args):
        pass


class Product(Handler):
    """A product that answers with the request that has reached it, as JSON."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = {"path": self.path, "headers": list(self.headers.items()), "server": self.server.server_address}
        self.answer(200, json.dumps(seen).encode())


class Frontdoor(Handler):
    """A stand-in for Frontdoor, where one session is good."""

    def do_GET(self):
        cookies = self.headers.get("Cookie") or ""
        if not self.path.startswith("/auth/verify"):
            self.answer(200, json.dumps({"path": self.path, "headers": list(self.headers.items())}).encode())
        elif "frontdoor_session=away" in cookies:
            self.answer(503)
        elif "frontdoor_session=good" in cookies:
            self.answer(
                204, **{f"X-Auth-{name}": said for name, said in ADA.items()}, **{"X-Auth-Session-Ends": "soon"}
            )
        elif "sign-in" in self.path:
            self.answer(302, Location=f"/login?next={self.headers['X-Forwarded-Uri']}")
        else:
            self.answer(401)


@pytest.fixture(scope="module")
def port():
    """The port of an nginx with the configuration of the examples, and stand-ins behind it."""
    with ExitStack() as stack:
        folder, port = stack.enter_context(folders.scratch()), free_port()
        servers = [ThreadingHTTPServer(("127.0.0.1", 0), Frontdoor)]
        servers += [ThreadingUnixStreamServer(str(folder / f"{name}.sock"), Product) for name in example.WANTED]
        for server in servers:
            stack.enter_context(server)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
        conf = example.configure(folder, port, servers[0].server_port)
        nginx = children.start([NGINX, "-e", "stderr", "-p", folder, "-c", conf])
        stack.callback(children.stop, nginx)
        while not listening(port):
            assert nginx.poll() is None
            time.sleep(0.02)
        yield port


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def ask(port):
    def ask(method, path, body=None, **headers):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request(method, path, body, {"Host": f"localhost:{port}"} | headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
        return answer

    return ask


def reached(answer):
    """Returns the headers with which a request has reached a product, by their names in lower case."""
    assert answer.status == 200, answer.status
    seen = [(name.lower(), said) for name, said in json.loads(answer.text)["headers"]]
    assert len(seen) == len(dict(seen))
    return dict(seen)


def test_the_notes_hear_from_nginx_who_it_is(ask):
    seen = reached(ask("GET", "/notes/?a=1", Cookie=SIGNED_IN))

    assert {name: seen[f"x-auth-{name.lower()}"] for name in ADA} == ADA
    assert seen["x-auth-session-ends"] == "soon"
    assert seen["cookie"] == "notes_csrf=token"


def test_strangers_are_led_to_sign_in_and_back(ask):
    for cookie in ("", "frontdoor_session=bad"):
        answer = ask("GET", "/notes/?a=1", Cookie=cookie)
        assert (answer.status, answer.headers["Location"]) == (302, "/login?next=/notes/?a=1")
    assert ask("POST", "/notes/", "text=a").headers["Location"] == "/login?next=/notes/"


def test_while_frontdoor_is_away_nobody_is_let_in(ask):
    assert ask("GET", "/notes/", Cookie="frontdoor_session=away").status == 500


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/board/"), ("POST", "/notes/webhook"), ("POST", "/board/webhook")]
)
def test_no_claim_of_a_visitor_reaches_a_product(ask, method, path):
    claims = {f"X-Auth-{name}": "forged" for name in FIELDS} | {f"x_auth_{name}": "forged" for name in FIELDS}

    seen = reached(ask(method, path, Cookie=SIGNED_IN, **claims))

    assert "forged" not in seen.values()
    assert not [name for name in seen if "auth" in name]


def test_nor_does_it_where_somebody_is_signed_in(ask):
    claims = {f"X-Auth-{name}": "forged" for name in FIELDS} | {f"x_auth_{name}": "forged" for name in FIELDS}

    seen = reached(ask("GET", "/notes/", Cookie=SIGNED_IN, **claims))

    assert "forged" not in seen.values()
    assert len([name for name in seen if "auth" in name]) == len(FIELDS)


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        (SIGNED_IN, "frontdoor_session=good"),
        ("frontdoor_session=good", "frontdoor_session=good"),
        ("xfrontdoor_session=good; a=b", None),
        ("frontdoor_session=go od", None),
        ("a=b", None),
    ],
)
def test_the_board_gets_the_cookie_of_the_session_and_no_other(ask, sent, passed):
    assert reached(ask("GET", "/board/", Cookie=sent)).get("cookie") == passed


def test_a_webhook_gets_no_cookie(ask):
    for name in example.WANTED:
        answer = ask("POST", f"/{name}/webhook", "{}", Cookie=SIGNED_IN)
        assert "cookie" not in reached(answer)
        assert json.loads(answer.text)["server"].endswith(f"/{name}.sock")


def test_a_webhook_gets_no_large_body(ask):
    assert ask("POST", "/notes/webhook", b"x" * (64 * 1024 + 1)).status == 413
    assert ask("POST", "/board/webhook", b"x" * (64 * 1024 + 1)).status == 413


@pytest.mark.parametrize("path", ["/auth/verify", "/auth/sign-in"])
def test_the_addresses_for_nginx_are_for_nginx_alone(ask, path):
    assert ask("GET", path, Cookie=SIGNED_IN).status == 404


@pytest.mark.parametrize("path", ["/notes/../notes/", "//notes/", "/%6eotes/", "/notes/webhook/", "/NOTES/"])
def test_no_other_spelling_leads_past_the_question(ask, path):
    answer = ask("GET", path, Cookie="", **{"X-Auth-User-Id": "forged"})
    # Led to sign in, or to Frontdoor, which knows no such page.
    assert answer.status == 302 or json.loads(answer.text).get("server") is None


def test_a_visitor_of_another_host_gets_no_answer(ask):
    with pytest.raises(http.client.RemoteDisconnected):
        ask("GET", "/", Host="evil.example")


def test_the_sheet_is_there_and_nothing_else_of_its_folder(ask):
    assert ask("GET", "/product.css").headers["Content-Type"] == "text/css"
    for path in ("/board.py", "/nginx.conf", "/product.css/../board.py"):
        answer = ask("GET", path)
        assert json.loads(answer.text)["path"] in {path, "/board.py"}  # Frontdoor answered
