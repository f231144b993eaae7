"""Forward-auth through a real nginx, with the configuration of docs/forward-auth.md word for word."""

import http.client
import json
import re
import shutil
import socket
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.auth.models import Group

from accounts.models import Session
from embedded import children
from embedded.folders import BASE_DIR
from embedded.servers import free_port
from sso.models import App
from tests.tools.factories import PASSWORD, AppFactory

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = [
    pytest.mark.django_db(transaction=True),  # the threads of the server must see the rows of the test
    pytest.mark.skipif(not NGINX, reason="no nginx"),
    pytest.mark.slow,
]

AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{documented}
}}
"""


class Echo(BaseHTTPRequestHandler):
    """The service behind nginx: it answers with the request that has reached it, as JSON."""

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


@pytest.fixture
def service():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server.server_port
        server.shutdown()


def for_one_app(documented, block, app):
    """Returns the documented configuration with what another block of the page says for one app."""
    asking, location = block.replace("ID", app.pk).split("\nlocation = ")
    asks = "\n".join(line for line in asking.splitlines() if "auth_request" in line or "error_page" in line)
    assert documented.count("auth_request /auth/verify;") == 1
    return documented.replace("auth_request /auth/verify;", asks).replace(
        "location = /auth/sign-in", f"location = {location}\nlocation = /auth/sign-in"
    )


@pytest.fixture
def browser(request, live_server, service, settings, tmp_path):
    """A browser in front of nginx, which asks for the app that is the fixture's parameter, if there is one.

    The session's cookie has the name that it has over https.
    """
    settings.SESSION_COOKIE_NAME = "__Host-session"
    port = free_port()
    documented, block = re.findall(r"```nginx\n(.*?)```", (BASE_DIR / "docs/forward-auth.md").read_text(), re.DOTALL)
    if app := getattr(request, "param", None):
        documented = for_one_app(documented, block, AppFactory(**app))
    for address, there in ((8000, urlsplit(live_server.url).port), (9000, service), (8080, port)):
        assert documented.count(f"127.0.0.1:{address};") == 1
        documented = documented.replace(f"127.0.0.1:{address};", f"127.0.0.1:{there};")
    conf = tmp_path / "nginx.conf"
    conf.write_text(AROUND.format(folder=tmp_path, documented=documented))
    nginx = children.start([NGINX, "-e", tmp_path / "error.log", "-p", tmp_path, "-c", conf])
    try:
        wait_for(nginx, port, tmp_path / "error.log")
        yield Browser(port)
    finally:
        children.stop(nginx)


def wait_for(nginx, port, log):
    while not listening(port):
        assert nginx.poll() is None, log.read_text()
        time.sleep(0.02)


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_stranger_signs_in_and_the_service_hears_who_it_is(browser, ada):
    there = "/app/list?of=a&by=b%20c"

    led = browser.ask("GET", there)
    assert (led.status, led.headers["Location"]) == (302, "/login?next=/app/list%3Fof%3Da%26by%3Db%2520c")
    assert browser.sign_in(led.headers["Location"]).headers["Location"] == there
    seen = json.loads(browser.ask("GET", there).text)

    assert seen["path"] == there
    assert seen["headers"]["X-Auth-User-Id"] == str(ada.pk)
    assert seen["headers"]["X-Auth-Username"] == "ada"
    assert seen["headers"]["X-Auth-Email"] == "ada@example.com"
    assert seen["headers"]["X-Auth-Session-Ends"].endswith("Z")


def test_headers_that_a_visitor_forges_do_not_reach_the_service(browser, ada):
    browser.sign_in("/login?next=/app/")
    claims = {"X-Auth-User-Id": "1", "x-auth-email": "root@example.com", "X_Auth_Username": "root"}

    seen = json.loads(browser.ask("GET", "/app/", **claims).text)["headers"]

    assert seen["X-Auth-User-Id"] == str(ada.pk)
    assert {name: value for name, value in seen.items() if value in {"1", "root", "root@example.com"}} == {}
    assert len([name for name in seen if name.lower().replace("_", "-").startswith("x-auth-")]) == 5


def test_the_service_gets_its_own_cookie_and_no_other(browser, ada):
    browser.sign_in("/login?next=/app/")
    browser.cookies |= {"service": "7"}

    seen = json.loads(browser.ask("GET", "/app/").text)["headers"]["Cookie"]

    assert seen == "service=7"


def test_an_address_without_its_slash_leads_to_the_same_host(browser, ada):
    assert browser.ask("GET", "/app").headers["Location"] == "/app/"


def test_a_form_arrives_whole_or_its_sender_is_led_to_sign_in(browser, ada):
    assert browser.ask("POST", "/app/form", "a=1").headers["Location"] == "/login?next=/app/form"
    browser.sign_in("/login?next=/app/form")

    seen = json.loads(browser.ask("POST", "/app/form", "a=1").text)

    assert (seen["method"], seen["body"]) == ("POST", "a=1")


@pytest.mark.parametrize("end", ["sessions", "row"])
def test_after_the_end_of_a_session_no_request_reaches_the_service(browser, ada, end):
    browser.sign_in("/login?next=/app/")
    assert browser.ask("GET", "/app/").status == 200

    ada.end_sessions() if end == "sessions" else Session.objects.all().delete()

    assert browser.ask("GET", "/app/").headers["Location"] == "/login?next=/app/"


def test_visitors_cannot_ask_the_addresses_that_are_for_the_proxy(browser):
    assert browser.ask("GET", "/auth/verify").status == 404
    assert browser.ask("GET", "/auth/sign-in").status == 404


@pytest.mark.parametrize("browser", [{"product": "proxy", "everybody": False}], indirect=True)
def test_one_app_is_for_its_groups_alone(browser, ada):
    app, editors, board = App.objects.get(), Group.objects.create(name="Editors"), Group.objects.create(name="Board")
    app.groups.set([editors])
    ada.groups.set([board])
    browser.sign_in(browser.ask("GET", "/app/").headers["Location"])

    refused = browser.ask("GET", "/app/", **{"X-Auth-Groups": "Editors"})
    assert (refused.status, "You have no access to Grafana yet" in refused.text) == (403, True)

    ada.groups.add(editors)
    seen = json.loads(browser.ask("GET", "/app/?app=other", **{"X-Auth-Groups": "Forged"}).text)
    assert seen["headers"]["X-Auth-Groups"] == "Editors"

    App.objects.update(is_active=False)
    assert browser.ask("GET", "/app/").status == 403
