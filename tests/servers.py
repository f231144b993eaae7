"""Pytest plugin: PostgreSQL and Valkey for this run alone, and the environment the settings are read from.

DATABASE_URL and REDIS_URL are used instead where they are given.
"""

import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from config import embedded

# What a developer has exported must not change a test.
FORGOTTEN = (
    *("DEBUG", "DEV_MAILBOX", "EMAIL_FROM", "GOOGLE_BASE_URL", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    *("PASSWORD_MIN_LENGTH", "PRIVACY_URL", "SECRET_KEY_FALLBACKS", "SIGNUP", "SITE_NAME", "STATIC_ROOT"),
    *("SUPPORT_CONTACT", "TERMS_URL", "TRUSTED_PROXY_COUNT"),
)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-django reads the settings
def pytest_load_initial_conftests() -> Iterator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["REDIS_URL"] = own_database(os.environ["REDIS_URL"], worker)
    ...
    yield


def own_database(url: str, worker: str) -> str:
    """The URL of another database of the same Redis: workers must not see each other's keys."""
    return urlsplit(url)._replace(path=f"/{int(worker.removeprefix('gw')) + 1}").geturl()
