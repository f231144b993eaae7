"""Pytest plugin: PostgreSQL, Valkey and Google for this run alone, and the environment for the settings.

DATABASE_URL, REDIS_URL and AMQP_URL are used where they are given.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

import embedded
from config import secret_files
from tests.tools import google

KEY = "for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"
GIVEN_BROKER = "FRONTDOOR_TEST_AMQP_URL"
# Set by make, which runs two lanes at once: the name of this lane, and the path of a file that both lock.
LANE, LOCK = "FRONTDOOR_TEST_LANE", "FRONTDOOR_TEST_LOCK"
DATABASES_PER_LANE = 8  # of the sixteen that a Redis has
# Variables that a developer may have exported, and that must not change a test.
FORGOTTEN = (
    *(
        "AMQP_REPUBLISH_SECONDS",
        "AMQP_URL",
        "BOUNCE_ADDRESS",
        "DEBUG",
        "DEV_MAILBOX",
        "EMAIL_FROM",
        "ENCRYPTION_KEY",
        "ENCRYPTION_KEY_FALLBACKS",
    ),
    *("GOOGLE_BASE_URL", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "MEMBERS_INVITE", "MEMBERS_INVITE_QUOTA"),
    *("PASSWORD_BREACHES_FILE", "PASSWORD_MIN_LENGTH", "PRIVACY_URL"),
    *("BLOCKED_DOMAINS", "DISPOSABLE_MAILBOXES", "DOMAIN_GROUPS", "REQUIRE_STAFF_2FA", "SECRET_KEY_FALLBACKS"),
    *("SIGNUP", "SIGNUP_DOMAINS", "SITE_NAME", "STATIC_ROOT", "SUPPORT_CONTACT"),
    *("DATABASE_SILENCE_SECONDS", "SECURITY_CONTACT", "TERMS_URL", "TRUSTED_PROXY_COUNT", "WEBHOOKS_ALLOWED_NETWORKS"),
    *(f"{name}_FILE" for name in secret_files.SECRETS),
)


@contextmanager
def machine(share: int) -> Iterator[None]:
    """Holds the machine, among all processes with the same LOCK: alone (LOCK_EX), or beside others (LOCK_SH)."""
    path = os.environ[LOCK]
    with Path(f"{path}.gate").open("a") as gate, Path(path).open("a") as lock:
        # Anyone who waits to be alone waits inside the gate, so that those who share cannot pass by for ever.
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(lock, share)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Holds a share of the machine during a test, unless the test uses `to_ourselves` to have the machine alone."""
    if "to_ourselves" in getattr(item, "fixturenames", ()):
        return (yield)
    with machine(fcntl.LOCK_SH):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-django reads the settings
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        keep_apart(worker)
    else:
        servers = ExitStack()
        early_config.add_cleanup(servers.close)
        prepare(servers)
    # Each process has its own Google: the trouble that a test asks of it must not reach tests elsewhere.
    os.environ |= google.stand_in().environ
    early_config.add_cleanup(google.stand_in().close)
    return (yield)


def pytest_collection_finish() -> None:
    """Forgets the name by which pytest-django, and modules of ours, have read the settings.

    Whatever tests start must find them without it, as everywhere.
    """
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def prepare(servers: ExitStack) -> None:
    os.environ[GIVEN_BROKER] = os.environ.get("AMQP_URL", "")  # most tests are of a site without one
    for name in FORGOTTEN:
        os.environ.pop(name, None)
    folder = servers.enter_context(embedded.throwaway(os.environ))
    os.environ |= {
        "HASH_PLACES": "100",  # fifty people may come at once, and each is to be answered
        "SECRET_KEY": KEY,
        "SITE_URL": "http://testserver",
        "EMAIL_URL": f"eml://{folder}/mail",
        "FRONTDOOR_STATE": f"{folder}/state",
    }
    os.environ.setdefault(LOCK, f"{folder}/machine.lock")


def keep_apart(worker: str) -> None:
    """Gives an xdist worker its own mailbox and its own database of Redis; tests.conftest does so for PostgreSQL."""
    os.environ["EMAIL_URL"] += f"/{worker}"
    first = DATABASES_PER_LANE if os.environ.get(LANE) == "slow" else 0  # both lanes may be given the same servers
    number = first + int(worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()


def pytest_report_header() -> str:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        (postgres,) = connection.execute("SHOW server_version").fetchone()
    with closing(redis.Redis.from_url(os.environ["REDIS_URL"])) as client:
        server = client.info("server")
    valkey = f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {server['redis_version']}"
    return f"servers: PostgreSQL {postgres}, {valkey}"
