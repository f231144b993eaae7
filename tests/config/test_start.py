"""With DEBUG off a missing or weak value stops the start with one line that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GOOD = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFG",
    "SITE_URL": "https://example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def start(**environment):
    """Loads the settings in another process with this environment; returns its exit code and output."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        "import django; django.setup(); from django.conf import settings; settings.DEBUG",
    ]
    environment = known | {"DJANGO_SETTINGS_MODULE": "config.settings"} | environment
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_four_values_are_enough():
    done = start(**GOOD)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_value_stops_the_start_with_one_line_naming_it(name):
    done = start(**{key: value for key, value in GOOD.items() if key != name})

    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is missing")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SITE_URL", "example.com"),
        ("SITE_URL", "https://example.com/path"),
        ("SITE_URL", "ftp://example.com"),
        ("SITE_URL", "https://a@example.com"),
        ("SITE_URL", "https://example.com:99999"),
        ("SITE_URL", "http://[::1"),
        ("SIGNUP", "sometimes"),
        ("EMAIL_URL", "smtp://h:abc"),
        ("DATABASE_URL", "postgres://h:abc/x"),
        ("REDIS_URL", "redis://h:99999/0"),
        ("PASSWORD_MIN_LENGTH", "-5"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("EMAIL_URL", "http://mail"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "nonsense"),
        ("TRUSTED_PROXY_COUNT", "many"),
        ("PASSWORD_MIN_LENGTH", "long"),
        ("GOOGLE_CLIENT_ID", "an id without its secret"),
        ("GOOGLE_CLIENT_SECRET", "a secret without its id"),
        ("GOOGLE_BASE_URL", "google.example"),
        ("GOOGLE_BASE_URL", "http://google.example"),
        ("GOOGLE_BASE_URL", "https://google.example/path"),
        ("ENCRYPTION_KEY", "short"),
        ("ENCRYPTION_KEY", "a" * 60),
    ],
)
def test_a_value_that_cannot_be_right_stops_the_start_with_one_line_naming_it(name, value):
    done = start(**GOOD | {name: value})

    assert done.returncode == 1
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_forms_lead_to_this_site_and_to_google():
    show = "from config import settings as s; print(*s.SECURE_CSP['form-action'], s.SOCIALACCOUNT_PROVIDERS)"
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, env=GOOD, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("'self' https://accounts.google.com {")
    assert "_URL" not in done.stdout  # allauth's own


def test_https_makes_host_cookies_and_plain_http_plain_ones():
    show = "from config import settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    for url, said in [("https://example.com", "__Host-session True"), ("http://localhost:8000", "session False")]:
        done = subprocess.run(
            [sys.executable, "-c", show],
            cwd=ROOT,
            env=os.environ | GOOD | {"SITE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == said


ASK = """
import django
django.setup()
from django.conf import settings
from django.test import Client
site = settings.SITE_URL.partition("//")[2]
ask = lambda host: Client().get("/login", headers={"host": host}, secure=settings.HTTPS).status_code
print("answers", ask(site), ask("other.example"))
"""


@pytest.mark.parametrize("url", ["http://[::1]:8000", "https://[2001:db8::1]", "http://127.0.0.1:8000"])
def test_a_site_answers_at_an_address_of_any_kind_and_nowhere_else(url):
    environ = os.environ | GOOD | {"SITE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}

    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "answers 200 400"


SENDER = """
import django
django.setup()
from django.conf import settings
from django.core.mail import EmailMessage
print(settings.SUPPORT_CONTACT, EmailMessage(to=["grace@example.com"]).message()["From"])
"""


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://[::1]:8000", "[IPv6:::1]"),
        ("https://[2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
        ("https://site.example", "site.example"),
    ],
)
def test_the_site_writes_from_an_address_that_mail_servers_accept(url, host):
    environ = {name: value for name, value in os.environ.items() if name not in {"EMAIL_FROM", "SUPPORT_CONTACT"}}
    environ |= GOOD | {"SITE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}

    done = subprocess.run(
        [sys.executable, "-c", SENDER], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == f"help@{host} Frontdoor <hello@{host}>"
