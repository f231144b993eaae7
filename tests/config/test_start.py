"""With DEBUG off a missing or weak value stops the start with one line that names it."""

import itertools
import os
import secrets
import string
import subprocess
import sys
from pathlib import Path

import pytest

from config import secret_files
from config.keys import is_weak

ROOT = Path(__file__).parent.parent.parent
GOOD = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFG",
    "SITE_URL": "https://example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


WEAK = [
    "django-insecure-2n@0kz!y$w1c8^q#x7v5b6m4l3j9h8g7f6d5s4a3p2o1",
    "changeme" * 8,
    "0123456789" * 6,
    "correct horse battery staple " * 2,
    "please-set-this-to-50-or-more-random-characters-in-production",
    "your-secret-key-goes-here-0123456789-abcdefghijklmnopqrstuvwxyz",
]


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
        ("PRODUCT_URL", "app.example.com"),
        ("PRODUCT_URL", "https://a@app.example.com"),
        ("PRODUCT_URL", "https://"),
        ("PRODUCT_URL", "javascript:alert(1)"),
        ("SIGNUP", "sometimes"),
        ("SIGNUP", "domains"),
        ("SIGNUP_DOMAINS", "example.com,edu"),
        ("BLOCKED_DOMAINS", "@example.com"),
        ("DISPOSABLE_MAILBOXES", "perhaps"),
        ("DOMAIN_GROUPS", "example.com"),
        ("DOMAIN_GROUPS", "example.com: "),
        ("DOMAIN_GROUPS", "edu:Students"),
        ("INVITE_LIFETIME", "soon"),
        ("INVITE_LIFETIME", "0h"),
        ("INVITE_LIFETIME", "91 days"),
        ("INVITE_MAX_LIFETIME", "53 weeks"),
        ("INVITE_MAX_LIFETIME", ""),
        ("INVITE_REMINDERS", "4"),
        ("INVITE_REMINDERS", "-1"),
        ("INVITE_REMINDERS", "often"),
        ("INVITE_REMIND_EVERY", "12h"),
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
        ("SECRET_KEY", WEAK[0]),
        ("ENCRYPTION_KEY", WEAK[1]),
        ("SECRET_KEY_FALLBACKS", f"{GOOD['SECRET_KEY']},{WEAK[2]}"),
        ("SECURITY_CONTACT", "security@example.com"),
        ("SECURITY_CONTACT", "http://example.com"),
        ("SECURITY_CONTACT", "mailto:a@example.com,nobody"),
        ("DATABASE_SILENCE_SECONDS", "0"),
        ("LANGUAGES", ""),
        ("LANGUAGES", " , "),
        ("LANGUAGES", "en,xx"),
        ("LANGUAGES", "en,nl"),
        ("LANGUAGES", "en,EN"),
        ("LANGUAGES", "../../etc"),
    ],
)
def test_a_value_that_cannot_be_right_stops_the_start_with_one_line_naming_it(name, value):
    done = start(**GOOD | {name: value})

    assert done.returncode == 1
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_weak_key_is_known_and_a_random_one_is_not(subtests):
    for key in WEAK:
        with subtests.test(key):
            assert is_weak(key)
    signs = string.digits, string.hexdigits.lower(), string.ascii_letters + string.digits + "!@#$%^&*(-_=+)"
    for some in signs:
        for _ in range(500):
            assert not is_weak("".join(secrets.choice(some) for _ in range(50)))


def test_a_short_longest_lifetime_of_invitations_shortens_the_usual_one():
    assert start(**GOOD, INVITE_MAX_LIFETIME="3d").returncode == 0


def test_a_trial_on_ones_own_machine_may_have_any_key():
    assert start(DEBUG="1", SECRET_KEY=WEAK[0]).returncode == 0


def test_languages_are_named_by_their_codes_in_any_way_of_writing_them(subtests):
    show = "from config import settings as s; print(s.LANGUAGE_CODE, *dict(s.LANGUAGES), *s.DESK_LANGUAGES)"
    for given, said in (
        ({}, "en en de es fr pt-br ru uk ar en ru"),
        ({"LANGUAGES": "de, EN,"}, "de de en en"),
        ({"LANGUAGES": "pt_BR"}, "pt-br pt-br en"),
        ({"LANGUAGES": "fr,ru,en"}, "fr fr ru en ru en"),
    ):
        with subtests.test(given):
            done = subprocess.run(
                [sys.executable, "-c", show], cwd=ROOT, env=GOOD | given, capture_output=True, text=True, check=True
            )
            assert done.stdout.strip() == said


def test_a_language_without_a_catalogue_is_refused_with_those_that_have_one():
    assert "'nl', which has no catalogue. There are catalogues for ar, de, en," in start(**GOOD, LANGUAGES="nl").stderr


def test_a_key_may_begin_with_any_sign():
    assert start(**GOOD | {"SECRET_KEY": "$" + GOOD["SECRET_KEY"]}).stderr == ""


SECRETS = GOOD | {
    "SECRET_KEY_FALLBACKS": GOOD["SECRET_KEY"][::-1],
    "ENCRYPTION_KEY": GOOD["SECRET_KEY"].swapcase(),
    "ENCRYPTION_KEY_FALLBACKS": "former,older",
    "AMQP_URL": "amqp://user:secret@broker/",
    "EMAIL_URL": "smtp://user:secret@mail",
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "google secret",
}
SHOW = """
from config import settings as s
for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "ENCRYPTION_KEYS", "DATABASES", "REDIS_URL", "AMQP_URL", "MAILERS"):
    print(name, getattr(s, name))
print(s.GOOGLE_CLIENT_SECRET)
"""


def show(**environment):
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_each_secret_may_come_from_a_file(tmp_path):
    files, endings = {}, itertools.cycle(["", "\n", "\r\n"])
    for name in secret_files.SECRETS:
        path = tmp_path / name
        path.write_bytes((SECRETS[name] + next(endings)).encode())
        files[f"{name}_FILE"] = str(path)
    others = {name: value for name, value in SECRETS.items() if name not in secret_files.SECRETS}

    assert show(**others, **files) == show(**SECRETS)


def test_a_file_that_gives_no_secret_stops_the_start_with_one_line_naming_it(tmp_path, subtests):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "weak").write_text("short")
    for name, file in zip(secret_files.SECRETS, ["empty", "binary", "missing", "."] * 3, strict=False):
        with subtests.test(f"{name} {file}"):
            rest = {key: value for key, value in SECRETS.items() if key != name}
            done = start(**rest, **{f"{name}_FILE": str(tmp_path / file)})

            assert (done.returncode, done.stderr.count("\n")) == (1, 1)
            assert done.stderr.startswith(f"{name}_FILE ")
    assert start(**GOOD | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "weak")}).stderr.startswith(
        "SECRET_KEY is weak"
    )


def test_a_secret_that_is_given_twice_stops_the_start(tmp_path):
    (tmp_path / "key").write_text(GOOD["SECRET_KEY"])

    done = start(**GOOD, SECRET_KEY_FILE=str(tmp_path / "key"))

    assert done.stderr == "SECRET_KEY and SECRET_KEY_FILE are both set. Set only one of them.\n"


def test_the_secrets_of_files_reach_no_child_process(tmp_path):
    (tmp_path / "key").write_text(GOOD["SECRET_KEY"])
    given = {name: value for name, value in GOOD.items() if name != "SECRET_KEY"} | {
        "SECRET_KEY_FILE": str(tmp_path / "key")
    }
    code = "import os; from config import settings; print(settings.SECRET_KEY in os.environ.values())"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def manage(*command, **environment):
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-W", "error", "manage.py", *command]
    return subprocess.run(
        command, cwd=ROOT, env=known | environment, capture_output=True, text=True, check=False, timeout=60
    )


LEAST = {name: GOOD[name] for name in ("SITE_URL", "DATABASE_URL")}


@pytest.mark.parametrize("command", ["migrate", "relay_mail", "deliver_webhooks", "deliver_mail"])
def test_a_process_starts_with_the_secrets_that_it_needs_and_no_others(command):
    key = {"deliver_webhooks": "ENCRYPTION_KEY", "deliver_mail": "SECRET_KEY"}.get(command, "SITE_NAME")

    done = manage(command, "--check" if command == "migrate" else "--help", **LEAST, **{key: GOOD["SECRET_KEY"]})

    assert "is missing" not in done.stderr
    if key != "SITE_NAME":
        assert "is missing" in manage(command, **LEAST).stderr


def test_other_commands_need_all(subtests):
    for command in ("prune", "remind_invites", "tell_inviters"):
        with subtests.test(command):
            assert manage(command, **LEAST).stderr.startswith("SECRET_KEY is missing")
            assert manage(command, **LEAST, SECRET_KEY=GOOD["SECRET_KEY"]).stderr.startswith("REDIS_URL is missing")


def test_forms_lead_to_this_site_and_to_google_where_it_is_offered(subtests):
    show = "from config import settings as s; print(*s.SECURE_CSP['form-action'], s.SOCIALACCOUNT_PROVIDERS)"
    offered = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}
    for env, sources in ((GOOD, "'self'"), (GOOD | offered, "'self' https://accounts.google.com")):
        with subtests.test(sources):
            done = subprocess.run(
                [sys.executable, "-c", show], cwd=ROOT, env=env, capture_output=True, text=True, check=True
            )
            assert done.stdout.startswith(f"{sources} {{")
            assert "_URL" not in done.stdout  # allauth's own


def test_https_makes_host_cookies_and_plain_http_plain_ones():
    show = "from config import settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    for url, said in [
        ("https://example.com", "__Host-session True"),
        ("http://localhost:8000", "frontdoor_session False"),
    ]:
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


PROFILES = [
    ("job:maybe", "'maybe' of 'job' is none of"),
    ("email", "'email' has a meaning of its own"),
    ("name:tel", "'name' is the name of the account"),
]


@pytest.mark.parametrize(("value", "said"), PROFILES)
def test_wrong_profile_fields_stop_the_start_with_one_line(value, said):
    done = start(**GOOD, PROFILE_FIELDS=value)

    assert done.returncode == 1
    assert done.stderr.startswith("PROFILE_FIELDS can't be read: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wrong_profile_form_stops_the_start_with_one_line():
    done = start(**GOOD, PROFILE_FORM="acme_door.forms.ProfileForm")

    assert (done.returncode, done.stderr) == (
        1,
        "PROFILE_FORM can't be read: there is no 'acme_door.forms.ProfileForm': No module named 'acme_door'.\n",
    )


def test_good_profile_fields_are_read():
    done = start(**GOOD, PROFILE_FIELDS="name:optional,job,phone:optional:tel")

    assert (done.returncode, done.stderr) == (0, "")


TERMS = {"TERMS_URL": "https://example.com/terms", "TERMS_VERSION": "2026-11-01"}
WRONG_TERMS = [
    ({"TERMS_VERSION": "2026-11-01"}, "TERMS_VERSION needs TERMS_URL"),
    (TERMS | {"TERMS_VERSION": "of today"}, "TERMS_VERSION must be up to 40"),
    (TERMS | {"TERMS_VERSION": "x" * 41}, "TERMS_VERSION must be up to 40"),
    ({"TERMS_CHANGES": "base.html"}, "TERMS_CHANGES needs TERMS_VERSION"),
    (TERMS | {"TERMS_CHANGES": "no/such.html"}, "TERMS_CHANGES names no template: 'no/such.html'"),
    (TERMS | {"TERMS_CHANGES": "../README.md"}, "TERMS_CHANGES names no template"),
]


@pytest.mark.parametrize(("given", "said"), WRONG_TERMS)
def test_wrong_terms_stop_the_start_with_one_line(given, said):
    done = start(**GOOD, **given)

    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_a_product_that_has_a_name_and_no_address_stops_the_start_with_one_line():
    done = start(**GOOD, PRODUCT_NAME="Example App")

    said = "PRODUCT_NAME needs PRODUCT_URL or SIGNED_IN_URL: it is the name of what they lead to.\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert start(**GOOD, PRODUCT_NAME="Example App", SIGNED_IN_URL="/start").returncode == 0


@pytest.mark.parametrize("value", ["info", "LOUD"])
def test_a_wrong_level_of_the_logs_stops_the_start_with_one_line(value):
    assert start(**GOOD, LOG_LEVEL=value).stderr == "LOG_LEVEL must be INFO or WARNING or ERROR.\n"


def test_terms_with_what_has_changed_are_read():
    done = start(**GOOD, **TERMS, TERMS_CHANGES="accounts/session/inactive.html")

    assert (done.returncode, done.stderr) == (0, "")
