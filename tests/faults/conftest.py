"""Fixtures of servers that tests stop, pause and bring back."""

import fcntl
import os
import subprocess
import sys
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.core.cache import caches
from django.db import connection

import config.failover.cache
from embedded import folders, postgres, valkey
from embedded.servers import Place
from tests.conftest import IMPATIENT
from tests.faults.parts import POPULATE, Part, Site
from tests.tools.servers import machine
from tests.tools.sink import FileSink, listening
from tests.tools.workers import nursery


@pytest.fixture
def db(committed):
    """A database whose rows are committed, so that workers and threads see them."""


@pytest.fixture
def to_ourselves(site):
    """Lets no other test run meanwhile, so that measured waits are the site's own."""
    with machine(fcntl.LOCK_EX):
        yield


@pytest.fixture
def move_redis(settings):
    """A function that points both caches to another address, as if Redis were lost."""

    def move(address):
        url = f"redis://{address[0]}:{address[1]}/0"
        settings.CACHES = {
            alias: entry | {"LOCATION": url, "OPTIONS": entry["OPTIONS"] | IMPATIENT}
            for alias, entry in settings.CACHES.items()
        }

    config.failover.cache.breakers.clear()
    yield move
    config.failover.cache.breakers.clear()
    caches["default"]._stand_in.clear()


@pytest.fixture(scope="session")
def parts():
    """PostgreSQL with people in it, Valkey, and an environment that leads to both. No other test uses these servers."""
    with folders.scratch() as folder, ExitStack() as stack:
        database, cache = (Part(start, Place(folder, durable=False)) for start in (postgres.start, valkey.start))
        stack.callback(database.stop)
        stack.callback(cache.stop)
        environ = os.environ | {"DATABASE_URL": database.url, "REDIS_URL": cache.url}
        environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "EMAIL_URL": f"eml://{folder}/mail"}
        subprocess.run([sys.executable, "-c", POPULATE], cwd=folders.BASE_DIR, env=environ, check=True)
        yield database, cache, environ


@pytest.fixture
def database(parts):
    yield parts[0]
    parts[0].heal()


@pytest.fixture
def cache(parts):
    yield parts[1]
    parts[1].heal()
    with parts[1].client() as client:
        client.flushall()


@pytest.fixture
def site(parts, cache, database, tmp_path):
    """The web server, just started, so that its circuit breakers are closed."""
    site = Site(parts[2], tmp_path / "web.log")
    yield site
    site.stop()


@pytest.fixture(scope="module")
def prepared(django_db_setup):
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environ = os.environ | {"DATABASE_URL": database, "AMQP_REPUBLISH_SECONDS": "1"}
    with nursery(environ | {"WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8"}) as workers:
        yield workers


@pytest.fixture
def workers(db, prepared):
    """A nursery that starts commands at once, in this test's database. No command outlives the test."""
    prepared.patched = {}
    yield prepared
    prepared.end()


@pytest.fixture
def sink(workers, tmp_path):
    """The mail server of the workers. It writes each mail to disk before it accepts it."""
    with FileSink(tmp_path / "taken") as sink, listening(sink) as port:
        workers.deliver_to(port)
        yield sink
