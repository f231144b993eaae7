"""A service behind a proxy that asks the site about each request, and a browser in front of the proxy."""

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from embedded import children
from embedded.folders import BASE_DIR
from tests.tools.factories import PASSWORD

PAGE = (BASE_DIR / "docs/forward-auth.md").read_text()


def documented(language: str) -> list[str]:
    """Returns the configurations in docs/forward-auth.md that are in this language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


class Echo(BaseHTTPRequestHandler):
    """The service behind a proxy: it answers with the request that has reached it, as JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        seen = {"method": self.command, "path": self.path, "body": body, "headers": dict(self.headers.items())}
        answer = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *args):
        pass


class Browser:
    """A browser that keeps cookies and follows no redirects."""

    def __init__(self, port):
        self.port, self.cookies = port, {"theme": "dark"}

    def ask(self, method, path, body=None, **headers):
        headers |= {"Host": "localhost", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_in(self, path):
        """Signs in as Ada by the form at `path`, to which a redirect has led. Returns the answer."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask("GET", path).text)[1]
        form = dict(parse_qsl(urlsplit(path).query)) | {"csrfmiddlewaretoken": token}
        return self.ask("POST", "/login", urlencode(form | {"login": "ada", "password": PASSWORD}))


@contextmanager
def service() -> Iterator[int]:
    """Runs the service. Yields its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def running(argv, port: int, log, **options) -> Iterator[Browser]:
    """Runs a proxy that listens on `port` and writes to the file `log`. Yields a browser in front of it."""
    with log.open("wb") as output:
        proxy = children.start(argv, stdout=output, stderr=output, **options)
    try:
        while not listening(port):
            assert proxy.poll() is None, log.read_text()
            time.sleep(0.02)
        yield Browser(port)
    finally:
        children.stop(proxy)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
