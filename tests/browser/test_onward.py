"""Ways off this site that begin with a form, in a real browser without scripts."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from config.edge import onward
from config.edge.openid_paths import AUTHORIZE
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("db")

# What no end of a URL may be mistaken for, a letter that is not in ASCII, and a state as long as apps make them.
ODD = '/cb;v=1,2?code=a\'b;c,d="e"&f=é g&h=%27%3B%22&state=' + "x" * 1900 + "#'\""


class App:
    """An app on another origin. `asked` has, of each request for it, the path with the query, and the Referer."""

    def __init__(self):
        self.asked = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path != "/favicon.ico":
                    asked.append((self.path, self.headers["Referer"]))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<title>App</title>")

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def app():
    app = App()
    yield app
    app.close()


@pytest.fixture
def page(visit, settings):
    """A page of a visitor whose browser never complains."""
    settings.ROOT_URLCONF = "tests.tools.app_behind"
    page, said = visit(locale="en-GB"), []
    page.on("console", lambda message: said.append(message.text))
    yield page
    assert not said


def agree(page, to):
    page.goto(f"/consent?to={quote(to, safe='')}")
    page.get_by_role("button").click()


def test_a_form_leads_to_an_app_at_the_address_that_a_link_leads_to(page, app):
    page.goto(f"{AUTHORIZE}?to={quote(app.url + ODD, safe='')}")
    page.wait_for_url(f"{app.url}/**")

    agree(page, app.url + ODD)
    page.wait_for_url(f"{app.url}/**")

    (by_link, _referer), (by_form, referer) = app.asked
    assert by_form == by_link
    assert re.search(r"h=%27%3B%22&state=x{1900}$", by_form)
    assert referer is None


def test_signing_in_leads_through_authorize_to_an_app(page, app, ada):
    page.goto("/login?next=" + quote(f"{AUTHORIZE}?to={quote(app.url + '/cb?code=1', safe='')}"))
    page.locator("[name=login]").fill("ada")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"{app.url}/**")

    assert app.asked == [("/cb?code=1", None)]


def test_by_a_redirect_nobody_would_come_there(visit, settings, app, monkeypatch):
    monkeypatch.setattr(onward, "REDIRECTS", set())
    settings.ROOT_URLCONF = "tests.tools.app_behind"
    page = visit()

    with page.expect_console_message(lambda message: "form-action" in message.text):
        agree(page, app.url)

    assert app.asked == []
