"""Forward-auth through a real Caddy, with the configuration of docs/forward-auth.md word for word."""

import json
import os
import shutil
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group

from embedded.servers import free_port
from sso.models import App
from tests.tools import proxied
from tests.tools.factories import AppFactory

CADDY = shutil.which("caddy")

pytestmark = [
    pytest.mark.django_db(transaction=True),  # the threads of the server must see the rows of the test
    pytest.mark.skipif(not CADDY, reason="no Caddy"),
    pytest.mark.slow,
]

FORGED = {"X-Auth-User-Id": "1", "X-Auth-Groups": "Forged", "X-Forwarded-Uri": "/auth/verify?app=other"}


@pytest.fixture
def browser(request, live_server, settings, tmp_path):
    """A browser in front of Caddy, which asks for the app that is the fixture's parameter, if there is one.

    The session's cookie has the name that it has over https.
    """
    settings.SESSION_COOKIE_NAME = "__Host-session"
    (whole,) = proxied.documented("caddyfile")
    if app := getattr(request, "param", None):
        asks = f"/auth/verify?app={AppFactory(**app).pk}&sign-in"
        assert asks.partition("=")[0] + "=ID&sign-in" in proxied.PAGE
        whole = whole.replace("/auth/verify?sign-in", asks)
    port = free_port()
    with proxied.service() as service:
        site = urlsplit(live_server.url).port
        for address, there in (
            ("example.com {", f"http://localhost:{port} {{"),
            ("127.0.0.1:8000", f"127.0.0.1:{site}"),
            ("127.0.0.1:9000", f"127.0.0.1:{service}"),
        ):
            assert address in whole
            whole = whole.replace(address, there)
        conf = tmp_path / "Caddyfile"
        conf.write_text(f"{{\n\tadmin off\n}}\n{whole}")
        argv = [CADDY, "run", "--adapter", "caddyfile", "--config", conf]
        folders = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        with proxied.running(argv, port, tmp_path / "log", env=os.environ | folders) as browser:
            yield browser


def test_a_stranger_signs_in_and_the_service_hears_who_it_is_and_nothing_that_is_forged(browser, ada):
    there = "/app/list?of=a&by=b%20c"

    led = browser.ask("GET", there, **FORGED)
    assert led.status == 302
    assert browser.sign_in(led.headers["Location"]).headers["Location"] == there
    seen = json.loads(browser.ask("GET", there, **FORGED).text)

    assert seen["path"] == there
    assert (seen["headers"]["X-Auth-User-Id"], seen["headers"].get("X-Auth-Groups", "")) == (str(ada.pk), "")
    assert "__Host-session" not in seen["headers"]["Cookie"]

    ada.end_sessions()
    assert browser.ask("GET", there).status == 302


@pytest.mark.parametrize("browser", [{"product": "proxy", "everybody": False}], indirect=True)
def test_one_app_is_for_its_groups_alone(browser, ada):
    app, editors, board = App.objects.get(), Group.objects.create(name="Editors"), Group.objects.create(name="Board")
    app.groups.set([editors])
    ada.groups.set([board])
    browser.sign_in(browser.ask("GET", "/app/").headers["Location"])

    for method in ("GET", "POST"):
        refused = browser.ask(method, "/app/?app=other", **FORGED)
        assert (refused.status, "You have no access to Grafana yet" in refused.text) == (403, True)

    ada.groups.add(editors)
    seen = json.loads(browser.ask("GET", "/app/?app=other", **FORGED).text)
    assert seen["headers"]["X-Auth-Groups"] == "Editors"

    App.objects.update(is_active=False)
    assert browser.ask("GET", "/app/").status == 403


def test_the_service_gets_its_own_cookies_and_none_of_the_site(browser, ada):
    browser.sign_in("/login?next=/app/")
    browser.cookies |= {"service": "7"}

    seen = json.loads(browser.ask("GET", "/app/").text)["headers"]["Cookie"]

    assert {"theme=dark", "service=7"} <= set(seen.split("; "))
    assert "__Host-" not in seen


def test_a_visitor_can_neither_take_a_header_away_nor_put_a_like_one_in_its_place(browser, ada):
    browser.sign_in("/login?next=/app/")
    drops = {"Connection": "close, X-Auth-User-Id, X-Auth-Username"}  # named here, proxies pass a header on to nobody
    likes = {"X_Auth_User_Id": "1", "x_auth-username": "root", "X-Auth_Email": "root@example.com"}

    seen = json.loads(browser.ask("GET", "/app/", **drops, **likes).text)["headers"]

    assert (seen["X-Auth-User-Id"], seen["X-Auth-Username"]) == (str(ada.pk), "ada")
    assert {name: value for name, value in seen.items() if value in likes.values()} == {}
