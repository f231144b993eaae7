"""The web server, and the proxy in front of it: long addresses reach the site, and logs hold no secrets."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from config.edge.openid_paths import AUTHORIZE
from embedded import children
from embedded.servers import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
ROOT = Path(__file__).parent.parent.parent
KEY = "k2v9x0q7w4m1c8z5b3n6j0h2g7f4d1s9"
TOKEN = "IjAxOTlkN2EwNGMxYjdlNTI4ZjkzYTRiNmM1ZDdlOGYxIg.XXeb7mNvUuH3bqGaoUoSrmzmSJo"
LONG = "/healthz?q=" + "a" * (8190 - len("GET /healthz?q= HTTP/1.1\r\n"))

# Tells the web server's own logger of an answered request. There is none to read, so to format its record must fail.
TELL = """
from gunicorn.app.wsgiapp import WSGIApplication
config = WSGIApplication().cfg
config.logger_class(config).access(None, None, None, None)
"""

pytestmark = pytest.mark.slow


class Server:
    """A process that listens on `port`; `log` is the file it writes its lines to."""

    def __init__(self, argv, port, log, **options):
        self.port, self.log = port, log
        with log.open("wb") as output:
            self.process = children.start(argv, stdout=output, stderr=output, **options)
        while not self.listens():
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.05)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, method, path, form=None):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(
                method, path, form, {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            )
            return connection.getresponse()

    def status(self, path):
        return self.ask("GET", path).status

    def send(self, text):
        """Sends what may be no request at all, and returns what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as wire:
            wire.sendall(text.encode())
            return b"".join(iter(lambda: wire.recv(4096), b"")).decode()

    def wait_for_line(self, part):
        """Returns the log as soon as `part` stands in it."""
        deadline = time.monotonic() + 30
        while part not in (text := self.log.read_text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        return text


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
    environ = os.environ | {"BIND": f"127.0.0.1:{port}", "SITE_URL": f"http://127.0.0.1:{port}", "WEB_CONCURRENCY": "1"}
    server = Server(argv, port, tmp_path_factory.mktemp("web") / "log", cwd=ROOT, env=environ)
    yield server
    children.stop(server.process)


@pytest.fixture
def proxy(web, tmp_path):
    port = free_port()
    conf = (ROOT / "deploy/nginx.conf").read_text()
    for ours, there in (
        ("http://web:8000", f"http://127.0.0.1:{web.port}"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("listen 8025", f"listen 127.0.0.1:{free_port()}"),
        ("/tmp/", f"{tmp_path}/"),  # noqa: S108 the folders of nginx within its container
        ("/dev/stdout", f"{tmp_path}/access.log"),
        ("worker_processes auto", "daemon off; master_process off"),
    ):
        assert ours in conf
        conf = conf.replace(ours, there)
    (tmp_path / "nginx.conf").write_text(conf)
    argv = [NGINX, "-e", tmp_path / "error.log", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    server = Server(argv, port, tmp_path / "output")
    server.log = tmp_path / "access.log"
    yield server
    children.stop(server.process)


def test_an_address_as_long_as_the_proxy_lets_pass_reaches_the_site(web):
    assert web.status(LONG) == 200
    assert web.status(f"{LONG}{'a' * 10}") == 414


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (f"GET /login HTTP/1.1\r\nHost: x\r\nCookie frontdoor_session={KEY}\r\n\r\n", "Invalid HTTP Header"),
        (f"GET /login HTTP/1.1\r\nHost: x\r\nCookie frontdoor_session={KEY}: x\r\n\r\n", "Invalid HTTP header name"),
        (f"login=ada&password={KEY}\r\n\r\n", "Invalid HTTP request line"),
        (f"GET /confirm?token={TOKEN} HTTP/1.1x\r\nHost: x\r\n\r\n", "Invalid HTTP Version"),
    ],
)
def test_what_the_web_server_refuses_is_logged_without_its_words(web, sent, why):
    assert " 400 " in web.send(sent).partition("\n")[0]

    written = web.wait_for_line(f"{why}…")
    assert KEY not in written
    assert TOKEN[-27:] not in written


def test_the_web_server_formats_no_record_of_a_request():
    """The site writes the line of each request itself, and nothing would write another."""
    argv = [sys.executable, "-c", TELL, "-c", "config/gunicorn.py", "config.wsgi"]

    told = subprocess.run(argv, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=60)

    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.skipif(not NGINX, reason="no nginx")
def test_the_proxy_lets_long_addresses_in_headers_pass(proxy):
    """Each character of this state takes three in an address, and the proxy's own buffer would hold 4,096."""
    form = f"client_id=a&state={'%2B' * 1900}"

    page = proxy.ask("POST", AUTHORIZE, form)
    redirect = proxy.ask("GET", f"/login.?{form}")

    assert page.headers["Refresh"] == f"0; url={AUTHORIZE}?{form}"
    assert redirect.headers["Location"] == f"/login?{form}"


@pytest.mark.skipif(not NGINX, reason="no nginx")
def test_the_proxy_lets_a_long_address_pass_and_logs_no_secret(proxy):
    assert proxy.status(LONG) == 200
    for path in (
        f"/confirm/{TOKEN}",
        f"/confirm%3Ftoken:{TOKEN}",
        f"/confirm%253F{TOKEN}",
        f"/confirm%2F{TOKEN}",
        f"//api/v1/auth/sessions/{KEY}",
        f"/api/v1/auth%2Fsessions%2F{KEY.upper()}",
        "/last",
    ):
        proxy.status(path)

    written = proxy.wait_for_line(" /last ")
    for secret in (TOKEN[:40], TOKEN[-27:], KEY, KEY.upper()):
        assert secret not in written
