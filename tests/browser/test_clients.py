"""Clients of OpenID Connect that nobody here wrote sign people in, in Chromium without scripts, by http and https."""

import json
import os
import re
import shutil
import socket
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from embedded import children, example
from embedded.folders import BASE_DIR
from embedded.run import GUNICORN
from embedded.servers import free_port
from sso import keys
from sso.models import Login, SigningKey
from tests.faults.parts import wait_until
from tests.tools.factories import PASSWORD, UserFactory

CLIENTS = BASE_DIR / "tests" / "clients"
NODE = shutil.which("node")
OPENID_CLIENT = NODE and (CLIENTS / "node" / "node_modules" / "openid-client").is_dir()
NGINX = shutil.which("nginx", path=example.PATH)
APACHE = shutil.which("apache2", path=example.PATH)
MODULES = Path("/usr/lib/apache2/modules")

HTTPS = """
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate "{folder}/site.pem";
    ssl_certificate_key "{folder}/site.pem";
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    location / {{
        proxy_pass http://127.0.0.1:{behind};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
}}
"""


class Stage:
    """A site of real processes, by itself or behind nginx with https, and clients that sign people in with it."""

    def __init__(self, scheme, folder, stack):
        self.folder, self.stack = folder, stack
        behind, port = free_port(), free_port()
        self.url = f"https://localhost:{port}" if scheme == "https" else f"http://127.0.0.1:{behind}"
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"]).geturl()
        self.environ = os.environ | {
            "SITE_URL": self.url,
            "BIND": f"127.0.0.1:{behind}",
            "DATABASE_URL": database,
            "WEB_CONCURRENCY": "2",
            "TRUSTED_PROXY_COUNT": "1" if scheme == "https" else "0",
            "WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
        self.start([sys.executable, *GUNICORN], self.environ, f"http://127.0.0.1:{behind}/healthz")
        if scheme == "https":
            certify(folder / "site.pem")
            servers = HTTPS.format(port=port, behind=behind, folder=folder)
            (folder / "nginx.conf").write_text(example.AROUND.format(folder=folder, servers=servers))
            self.start([NGINX, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"], self.environ, self.url)

    def start(self, command, environ, url):
        """Starts a server, which is stopped at the end, and waits until it answers at `url`."""
        log = self.folder / f"{Path(str(command[-1])).name}.log"
        with log.open("wb") as out:
            process = children.start(command, cwd=BASE_DIR, env=environ, stdout=out, stderr=out)
        self.stack.callback(children.stop, process)
        address = urlsplit(url)

        def answers():
            assert process.poll() is None, log.read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", address.port)) == 0

        wait_until(answers)

    def work(self):
        """Starts the worker that tells apps who has signed out."""
        command = [sys.executable, "manage.py", "deliver_webhooks"]
        with (self.folder / "worker.log").open("wb") as log:
            process = children.start(command, cwd=BASE_DIR, env=self.environ, stdout=log, stderr=log)
        self.stack.callback(children.stop, process)

    def add(self, name, path, *more, logout=""):
        """Adds an app whose address is a free port of loopback, and returns its settings."""
        port, said = free_port(), StringIO()
        home = f"http://127.0.0.1:{port}"
        given = ["--redirect", home + path, "--start", f"{home}/login", *more]
        given += ["--logout", home + logout] if logout else []
        call_command("add_app", name, *given, stdout=said)
        shown = dict(re.findall(r"(?m)^\s*(id|secret)\W+(\w+)\s*$", said.getvalue(), re.IGNORECASE))
        shown = {key.lower(): value for key, value in shown.items()}
        trust = {"NODE_EXTRA_CA_CERTS": "site.pem", "REQUESTS_CA_BUNDLE": "site.pem"}
        return self.environ | {name: str(self.folder / file) for name, file in trust.items() if self.is_safe} | {
            "ISSUER": self.url,
            "PORT": str(port),
            "HOME_URL": home,
            "CLIENT_ID": shown["id"],
            "CLIENT_SECRET": shown.get("secret", ""),
            "STATE": str(self.folder / f"{name}.sqlite"),
        }  # fmt: skip

    @property
    def is_safe(self):
        return self.url.startswith("https")


def certify(path):
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem) + private)


@pytest.fixture(params=["http", "https"])
def stage(request, db, tmp_path):
    if request.param == "https" and not NGINX:
        pytest.skip("no nginx")
    with ExitStack() as stack:
        yield Stage(request.param, tmp_path, stack)


@pytest.fixture
def person(db):
    ada = UserFactory(username="ada", email="ada@example.com")
    ada.call("Ada L")
    ada.groups.set(Group.objects.bulk_create([Group(name="Editors"), Group(name="Of no app")]))
    return ada


@pytest.fixture
def visitor(chromium, stage):
    profile = chromium.new_context(java_script_enabled=False, ignore_https_errors=True)
    profile.set_default_timeout(10_000)
    yield profile.new_page()
    profile.close()


def sign_in(visitor, stage, person):
    visitor.goto(f"{stage.url}/login")
    visitor.fill("#id_login", person.username)
    visitor.fill("#id_password", PASSWORD)
    visitor.locator("main form button").first.click()
    expect(visitor.locator(".top")).to_be_visible()


def enter(visitor, app, name, path="/login", hello="Hello, Ada L"):
    """Goes from the app to the site and back, and agrees that the app may learn who it is."""
    visitor.goto(app["HOME_URL"] + path)
    visitor.get_by_role("button", name=f"Continue to {name}").click()
    expect(visitor.locator("h1")).to_have_text(hello)


def come_back(visitor, app, _name, path="/login"):
    """Goes from the app to the site and back, without a page between."""
    visitor.goto(app["HOME_URL"] + path)
    expect(visitor.locator("h1")).to_have_text("Hello, Ada L")


def asked(visitor, app, path):
    """Returns what the app says of itself, as JSON."""
    visitor.goto(app["HOME_URL"] + path)
    return json.loads(visitor.locator("body").inner_text())


def sign_with_another_key(visitor, stage):
    """Has the site sign with a key that no app has seen, and waits until its processes know."""
    new = keys.rotate()
    SigningKey.objects.filter(pk=new.pk).update(signs_from=timezone.now())

    def is_published():
        published = visitor.request.get(f"{stage.url}/.well-known/jwks.json", headers={"Cache-Control": "no-cache"})
        return len(published.json()["keys"]) == 2

    wait_until(is_published)
    time.sleep(keys.LOOK_EVERY)


def sign_out_everywhere(visitor, stage):
    visitor.goto(f"{stage.url}/logout")
    visitor.locator("main form button").first.click()


@pytest.mark.skipif(not OPENID_CLIENT, reason="no openid-client")
def test_openid_client(stage, person, visitor, subtests):
    sign_in(visitor, stage, person)
    ways = {"basic": (), "post": (), "none": ("--public",)}
    for method, more in ways.items():
        with subtests.test(method=method):
            name = f"Node {method}"
            app = stage.add(name, "/callback", "--everybody", *more) | {"METHOD": method}
            stage.start([NODE, CLIENTS / "node" / "rp.mjs"], app, app["HOME_URL"])
            enter(visitor, app, name)
            said = asked(visitor, app, "/userinfo")
            assert said["sub"] == str(person.pk)
            assert (said["name"], said["preferred_username"]) == ("Ada L", "ada")
            assert (said["email"], said["email_verified"]) == ("ada@example.com", True)
            assert said["iss"] == stage.url
            assert asked(visitor, app, "/refresh")["refreshed"]
            if method != "none":
                assert asked(visitor, app, "/introspect")["active"]
            # Once agreed, never asked again, but for a program without a secret; a long state comes back unchanged.
            again = enter if method == "none" else come_back
            again(visitor, app, name, "/login?long=1500")
            with_foreign_state = visitor.url.replace("state=", "state=x")
            visitor.goto(with_foreign_state)
            assert "error" in visitor.locator("body").inner_text()
            again(visitor, app, name)
            assert asked(visitor, app, "/revoke")["revoked"]
            assert asked(visitor, app, "/userinfo")["error"]
    sign_out_everywhere(visitor, stage)
    assert asked(visitor, app, "/login?prompt=none")["error"] == "login_required"


@pytest.mark.skipif(not OPENID_CLIENT, reason="no openid-client")
@pytest.mark.parametrize("stage", ["http"], indirect=True)
def test_openid_client_takes_no_answer_of_another_site(stage, person, visitor, tmp_path):
    """A visitor who begins at one site and is led to another brings an answer that says which it is from (RFC 9207)."""
    (tmp_path / "other").mkdir()
    other = Stage("http", tmp_path / "other", stage.stack)  # the same database, so the app and the session are the same
    sign_in(visitor, stage, person)
    app = other.add("Node", "/callback", "--everybody") | {"METHOD": "basic"}
    stage.start([NODE, CLIENTS / "node" / "rp.mjs"], app, app["HOME_URL"])
    enter(visitor, app, "Node")
    Login.objects.all().delete()

    began = visitor.request.get(f"{app['HOME_URL']}/login", max_redirects=0).headers["location"]
    assert began.startswith(f"{other.url}/")
    visitor.goto(began.replace(other.url, stage.url))

    answer = parse_qs(urlsplit(visitor.url).query)
    assert (answer["iss"], "code" in answer) == ([stage.url], True)
    assert "error" in json.loads(visitor.locator("body").inner_text())
    assert Login.objects.get().used_at is None
    visitor.goto(visitor.url.replace(quote(stage.url, ""), quote(other.url, "")))  # so nothing else was wrong with it
    expect(visitor.locator("h1")).to_have_text("Hello, Ada L")


def test_authlib(stage, person, visitor):
    sign_in(visitor, stage, person)
    app = stage.add("Authlib", "/callback", "--group", "Editors")
    stage.start([sys.executable, CLIENTS / "authlib_rp.py"], app, app["HOME_URL"])
    enter(visitor, app, "Authlib")
    assert asked(visitor, app, "/userinfo")["groups"] == ["Editors"]
    assert asked(visitor, app, "/refresh")["refreshed"]
    sign_with_another_key(visitor, stage)
    visitor.goto(f"{app['HOME_URL']}/login")
    expect(visitor.locator("h1")).to_have_text("Hello, Ada L")
    sign_out_everywhere(visitor, stage)
    visitor.goto(f"{app['HOME_URL']}/login")
    expect(visitor).to_have_url(re.compile("/login"))


def test_mozilla_django_oidc(stage, person, visitor):
    sign_in(visitor, stage, person)
    app = stage.add("Mozilla", "/oidc/callback/", "--everybody")
    stage.start([sys.executable, CLIENTS / "mozilla_rp.py"], app, app["HOME_URL"])
    enter(visitor, app, "Mozilla", "/oidc/authenticate/", "Hello, ada@example.com")
    time.sleep(1.1)  # by then it asks again, silently
    visitor.goto(f"{app['HOME_URL']}/home")
    expect(visitor.locator("h1")).to_have_text("Hello, ada@example.com")
    sign_out_everywhere(visitor, stage)
    time.sleep(1.1)
    visitor.goto(f"{app['HOME_URL']}/home")
    expect(visitor.locator("h1")).not_to_have_text("Hello, ada@example.com")


@pytest.mark.skipif(not (MODULES / "mod_auth_openidc.so").exists(), reason="no mod_auth_openidc")
def test_mod_auth_openidc(stage, person, visitor):
    sign_in(visitor, stage, person)
    stage.work()
    app = stage.add("Apache", "/callback", "--group", "Editors", logout="/callback?logout=backchannel")
    home = app["HOME_URL"]
    (stage.folder / "www" / "editors").mkdir(parents=True)
    for place in ("index.html", "editors/index.html"):
        (stage.folder / "www" / place).write_text("<h1>Hello from Apache</h1>")
    (stage.folder / "mime.types").write_text("text/html html\n")
    given = {"folder": stage.folder, "modules": MODULES, "port": app["PORT"], "issuer": stage.url}
    given |= {"client_id": app["CLIENT_ID"], "secret": app["CLIENT_SECRET"]}
    text = (CLIENTS / "apache.conf").read_text()
    conf = stage.folder / "apache.conf"
    conf.write_text(re.sub(r"\{(\w+)\}", lambda found: str(given.get(found[1], found[0])), text))
    stage.start([APACHE, "-X", "-f", conf], app, home)
    visitor.goto(home)
    visitor.get_by_role("button", name="Continue to Apache").click()
    expect(visitor.locator("h1")).to_have_text("Hello from Apache")
    assert visitor.goto(f"{home}/editors/").status == 200
    sign_out_everywhere(visitor, stage)

    def is_out():
        visitor.goto(home)
        return "/login" in visitor.url

    wait_until(is_out, 5)
