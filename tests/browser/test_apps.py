"""From an app to the site and back, with scripts off, in a browser that applies form-action to every hop."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import Session
from sso.back_channel.caller import Caller
from sso.models import Consent, Login
from tests.browser.desk import sign_in_staff
from tests.tools import phone
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.receiver import Receiver

pytestmark = pytest.mark.usefixtures("db")


class Callback(BaseHTTPRequestHandler):
    """What an app answers: a greeting, after a hop to `hop_to`, if it has one. At /start it begins its sign-in."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Referer")))
        there = self.server.starts_at if self.path == "/start" else ""
        if self.server.hop_to and self.path.startswith("/callback"):
            there = self.server.hop_to + self.path.replace("callback", "home")
        self.send_response(302 if there else 200)
        self.send_header(*(("Location", there) if there else ("X-App", "yes")))
        self.end_headers()
        self.wfile.write(b"" if there else b"<h1>Hello from the app</h1>")

    def log_message(self, *_args):
        pass


@contextmanager
def serving(hop_to=""):
    """An app on a port of its own, which is another site to the browser."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    server.asked, server.hop_to, server.starts_at = [], hop_to, ""
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


def test_an_app_that_wants_a_code_is_reached_by_one_typed_at_sign_in_or_later(page, app, grafana, home):
    phone.pair(UserFactory(username="ada"))
    type(app).objects.update(asks_consent=False, second_factor=True)
    page.goto(asked(app))
    sign_in(page)
    page.locator("summary").first.click()
    page.check("[name=trust]")
    type_code(page, phone.code())
    assert "code" in arrive(page, grafana)
    assert Login.objects.get().amr == ["pwd", "otp", "mfa"]

    page.goto("/logout")
    page.get_by_role("button", name="Sign out on this device only").click()
    page.goto(asked(app))
    sign_in(page)  # the browser is trusted: no code is asked for
    page.get_by_role("link", name="Enter a code now").click()
    assert Login.objects.count() == 1
    page.fill("#id_password", PASSWORD)
    type_code(page, phone.code(steps=1))
    assert "code" in arrive(page, grafana)


def type_code(page, code):
    page.fill("#id_code", code)
    page.locator("main form:has(input:visible) button").first.click()


def test_whoever_has_no_access_asks_for_it_and_gets_in_once_it_is_given(visit, app, grafana, site, mailbox):
    UserFactory(username="olga", is_staff=True, is_superuser=True, email="olga@example.com")
    ada, editors = UserFactory(username="ada", email="ada@example.com"), Group.objects.create(name="Editors")
    grafana.starts_at = site + asked(app)
    type(app).objects.update(asks_consent=False, everybody=False, start_url=f"{grafana.url}/start")
    app.groups.add(editors)
    member = visit()
    member.goto(asked(app))
    sign_in(member)
    member.get_by_role("heading", name="You have no access to Grafana yet").wait_for()
    member.get_by_label("A line to them").fill("Maria said I should look at the boards")
    member.get_by_role("button", name="Ask for access").click()
    member.get_by_text("We’ve asked for you. The answer comes by email.").wait_for()
    assert grafana.asked == []

    owner = visit()
    sign_in_staff(owner)
    assert "ada asks for access to Grafana" in [letter["Subject"] for letter in mailbox.letters("olga@example.com")]
    owner.goto("/admin/")
    owner.get_by_role("link", name="Answer", exact=True).click()
    owner.get_by_text("Maria said I should look at the boards").wait_for()
    owner.get_by_role("link", name="Invite ada@example.com").click()
    owner.get_by_role("button", name="Check the list").click()
    owner.get_by_role("button", name="Send 1 invitation").first.click()

    member.goto(mailbox.link("ada@example.com"))
    member.get_by_role("button", name="Accept and open Grafana").click()
    assert "code" in arrive(member, grafana)
    assert ada.groups.get() == editors
    owner.goto(f"/admin/sso/app/{app.pk}/change/")
    assert "Who asks for access" not in owner.content()


def test_staff_invite_a_newcomer_and_a_member_to_an_app_and_it_greets_both(visit, app, grafana, site, mailbox):
    UserFactory(username="olga", is_staff=True, is_superuser=True)
    ada, editors = UserFactory(username="ada"), Group.objects.create(name="Editors")
    app.groups.add(editors)
    grafana.starts_at = site + asked(app)
    type(app).objects.update(everybody=False, start_url=f"{grafana.url}/start")
    owner = visit()
    sign_in_staff(owner)
    owner.goto("/admin/invites/batch/add/")
    owner.fill("[name=pasted]", "grace@example.com\nada@example.com")
    owner.select_option("[name=app]", label="Grafana")
    owner.get_by_role("button", name="Check the list").click()
    owner.get_by_role("button", name="Send 2 invitations").first.click()

    newcomer = visit()
    assert "olga invited you to Grafana at Frontdoor" in mailbox.letters("grace@example.com")[-1]["Subject"]
    newcomer.goto(mailbox.link("grace@example.com"))
    newcomer.fill("#id_username", "grace")
    newcomer.fill("#id_password", PASSWORD)
    newcomer.get_by_role("button", name="Join and open Grafana").click()
    newcomer.get_by_role("button", name="Continue to Grafana").click()
    assert "code" in arrive(newcomer, grafana)

    member = visit()
    member.goto(mailbox.link("ada@example.com"))
    member.get_by_role("checkbox").check()
    member.get_by_role("button", name="Accept and open Grafana").click()
    member.get_by_role("button", name="Continue to Grafana").click()
    assert "code" in arrive(member, grafana)
    assert ada.groups.get() == editors


def test_an_app_that_listens_hears_which_session_has_ended_and_that_all_have(visit, app, grafana, settings):
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    UserFactory(username="ada")
    with Receiver().listening() as receiver:
        type(app).objects.update(asks_consent=False, logout_uri=receiver.url())
        browsers = [visit(), visit()]
        for browser in browsers:
            browser.goto(asked(app))
            sign_in(browser)
            arrive(browser, grafana)
        Login.objects.update(used_at=timezone.now())  # as after the app has spent its codes
        sids = list(Login.objects.order_by("pk").values_list("sid", flat=True))

        browsers[0].goto("/logout")
        browsers[0].get_by_role("button", name="Sign out on this device only").click()
        Caller().finish()
        assert told(receiver) == sids[:1]

        browsers[1].goto("/logout")
        browsers[1].locator("main form button").first.click()
        Caller().finish()
        assert told(receiver) == sids


def told(receiver):
    """Returns the sessions that a receiver was told of."""
    tokens = [parse_qs(said.body.decode())["logout_token"][0] for said in receiver.told]
    return [jwt.decode(token, options={"verify_signature": False})["sid"] for token in tokens]
