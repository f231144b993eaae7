"""From an app to the site and back, with scripts off, in a browser that applies form-action to every hop."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import Group

from accounts.models import Session
from sso.models import Consent, Login
from tests.tools.factories import PASSWORD, AppFactory, UserFactory

pytestmark = pytest.mark.usefixtures("db")


class Callback(BaseHTTPRequestHandler):
    """What an app answers: a greeting, after a hop to `hop_to`, if it has one."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Referer")))
        hop = self.server.hop_to if self.path.startswith("/callback") else ""
        self.send_response(302 if hop else 200)
        self.send_header(*(("Location", hop + self.path.replace("callback", "home")) if hop else ("X-App", "yes")))
        self.end_headers()
        self.wfile.write(b"" if hop else b"<h1>Hello from the app</h1>")

    def log_message(self, *_args):
        pass


@contextmanager
def serving(hop_to=""):
    """An app on a port of its own, which is another site to the browser."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    server.asked, server.hop_to = [], hop_to
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home():
    with serving() as server:
        yield server


@pytest.fixture
def grafana(home):
    """An app whose callback hops on to another origin of its own."""
    with serving(hop_to=home.url) as server:
        yield server


@pytest.fixture
def app(grafana):
    bye = f"{grafana.url}/bye"
    return AppFactory(redirect_uris=[f"{grafana.url}/callback"], asks_consent=True, post_logout_uris=bye)


@pytest.fixture
def page(visit):
    """A page with scripts off. Fails if the browser refused anything."""
    complaints = []
    page = visit()
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    assert complaints == []


def asked(app, **more):
    uri = app.client.get_redirect_uris()[0]
    asked = {"client_id": app.pk, "redirect_uri": uri, "response_type": "code", "scope": "openid email", "state": "xyz"}
    pkce = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    return f"/identity/o/authorize?{urlencode(asked | pkce | more)}"


def sign_in(page):
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def arrive(page, app_server, path="/callback"):
    """Waits until the app greets. Returns what its callback was told; no page of ours may be told to it."""
    page.get_by_role("heading", name="Hello from the app").wait_for()
    told, referer = next(asked for asked in reversed(app_server.asked) if asked[0].startswith(path))
    assert referer is None
    return {name: text for name, (text,) in parse_qs(urlsplit(told).query).items()}


def test_a_person_signs_in_agrees_comes_back_and_signs_out_here_too(page, app, grafana, home, site):
    UserFactory(username="ada")
    page.goto(asked(app))
    sign_in(page)
    page.get_by_role("heading", name="Sign in to Grafana").wait_for()
    assert not Consent.objects.exists()

    page.get_by_role("button", name="Cancel").click()
    assert arrive(page, grafana) == {
        "error": "access_denied",
        "error_description": "the person has cancelled",
        "state": "xyz",
        "iss": site,
    }

    page.goto(asked(app))
    page.get_by_role("button", name="Continue to Grafana").click()
    told = arrive(page, grafana)
    assert (told["state"], told["iss"], set(told)) == ("xyz", site, {"code", "state", "iss"})
    assert page.url.startswith(f"{home.url}/home?code=")

    page.goto(asked(app))  # asked once
    assert "code" in arrive(page, grafana)

    grafana.hop_to = ""
    query = urlencode({"client_id": app.pk, "post_logout_redirect_uri": f"{grafana.url}/bye", "state": "s"})
    page.goto(f"/identity/o/logout?{query}")
    page.get_by_role("button", name="Sign out here").click()
    assert arrive(page, grafana, "/bye") == {"state": "s"}
    assert not Session.objects.filter(user__username="ada").exists()
    assert not Login.objects.alive().exists()


def test_sign_in_leads_straight_to_an_app_of_the_house_and_by_its_form_too(page, app, grafana, home):
    UserFactory(username="ada")
    type(app).objects.update(asks_consent=False)
    page.goto(asked(app))
    sign_in(page)
    assert "code" in arrive(page, grafana)

    fields = "".join(
        f'<input name="{name}" value="{text}">' for name, (text,) in parse_qs(urlsplit(asked(app)).query).items()
    )
    action = f"{urlsplit(page.url).scheme}://{urlsplit(page.url).netloc}/form"
    site_form = f'<form method="post" action="{{site}}/identity/o/authorize">{fields}<button>Go</button></form>'
    site = page.context.request.get("/healthz").url.removesuffix("/healthz")
    page.route("**/form", lambda route: route.fulfill(body=site_form.format(site=site), content_type="text/html"))
    page.goto(action)
    page.get_by_role("button", name="Go").click()
    assert "code" in arrive(page, grafana)
    assert Login.objects.count() == 2


def test_whoever_has_no_access_reads_whom_to_ask_and_gets_in_once_it_is_given(page, app, grafana, home):
    ada, editors = UserFactory(username="ada"), Group.objects.create(name="Editors")
    type(app).objects.update(asks_consent=False, everybody=False)
    app.groups.add(editors)
    page.goto(asked(app))
    sign_in(page)
    page.get_by_role("heading", name="You have no access to Grafana yet").wait_for()
    assert page.get_by_role("link", name="Ask for access").get_attribute("href").startswith("mailto:")
    assert grafana.asked == []

    ada.groups.add(editors)
    page.reload()

    assert "code" in arrive(page, grafana)
