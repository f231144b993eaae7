"""Fixtures for all tests, which run on real PostgreSQL, a real cache and real mail files; only the clock is turned."""

import gc
import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.core.signals import setting_changed
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.password.hashers import Argon2
from config.failover.cache import breakers
from config.failover.windows import RedisWindows
from embedded import folders
from kit import plain_page
from outbox.mail import lateness
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxEvent, OutboxMessage
from tests.tools import skipped
from tests.tools.broker import Broker, Given, forget, program, taking_turns
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Google, stand_in
from tests.tools.servers import GIVEN_BROKER, LANE

TESTS = Path(__file__).parent
# Folders whose every test starts processes, waits or measures; files elsewhere mark themselves.
SLOW = {"browser", "embedded", "faults"}
LINK = re.compile(r"https?://\S+\?token=\S+")


# Argon2 is the real one at its lowest cost: nobody guesses the passwords of tests, and nearly every test hashes one.
IN_EARNEST = {"time_cost": Argon2.time_cost, "memory_cost": Argon2.memory_cost}
Argon2.time_cost, Argon2.memory_cost = 1, 8  # passes, and KiB


# A busy machine makes Redis slow. With the timeouts of production the site would then go on without it.
IMPATIENT = {name: settings.CACHES["default"]["OPTIONS"][name] for name in ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")}
for cache in settings.CACHES.values():
    cache["OPTIONS"] = cache["OPTIONS"] | dict.fromkeys(IMPATIENT, 10)  # seconds


# Every Client builds its own middleware, and WhiteNoise looks at all static files then: half of the time of a test.
look_for_files, found = WhiteNoiseMiddleware.add_files_from_finders, {}


def look_once(noise):
    if not found:
        look_for_files(noise)
        found.update(noise.files)
    noise.files.update(found)


WhiteNoiseMiddleware.add_files_from_finders = look_once


# Both lanes may run on the same PostgreSQL; pytest-django separates only the processes of one lane.
if lane := os.environ.get(LANE):
    database = settings.DATABASES["default"]
    database["TEST"] = database.get("TEST", {}) | {"NAME": f"test_{database['NAME']}_{lane}"}


@pytest.fixture
def in_earnest(monkeypatch):
    """The cost of password hashes as in production."""
    for name, value in IN_EARNEST.items():
        monkeypatch.setattr(Argon2, name, value)


def pytest_terminal_summary(terminalreporter):
    """Shows what tests measured and do not judge, and says in one line what was skipped and why.

    Under make the last line, of both lanes, says how to have that run (tests/tools/skipped.py).
    """
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
    reasons = Counter(reason(report) for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        terminalreporter.write_line(f"{reasons.total()} skipped: {', '.join(reasons)}")
    if LANE in os.environ:
        terminalreporter.config.cache.set(skipped.KEY, reasons)


def reason(report):
    """Returns why the test of this report was skipped, without the place that pytest puts before the reason."""
    *_place, said = report.longrepr
    return said.removeprefix("Skipped: ")


def pytest_collection_finish():
    """Spares the garbage collector what lives to the end anyway, tests and modules: a tenth of all time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before `-m` selects tests by their marks
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in SLOW:
            item.add_marker(pytest.mark.slow)


class Mailbox:
    """The mailboxes of all people: the outbox is really delivered, into a folder of .eml files."""

    def __init__(self, folder: Path):
        self.folder = folder

    def letters(self, address: str = "") -> list[EmailMessage]:
        """Delivers what waits. Returns all mail, oldest first, or only the mail to one address."""
        # Many mails at once are due one after the other, a moment apart; tests need not wait for that.
        OutboxMessage.objects.waiting().filter(attempts=0).update(next_try_at=F("next_try_at") - timedelta(minutes=1))
        deliver_due()
        files = sorted(self.folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        letters = [message_from_bytes(file.read_bytes(), EmailMessage, policy=policy.default) for file in files]
        return [letter for letter in letters if address in str(letter["To"])]

    def text(self, address: str) -> str:
        return self.letters(address)[-1].get_body(("plain",)).get_content()

    def link(self, address: str, page: str = "") -> str:
        """Returns path and query of the newest link mailed to an address: one to `page`, or any but "not me".

        Raises AssertionError if there is none.
        """
        for letter in reversed(self.letters(address)):
            for link in LINK.findall(letter.get_body(("plain",)).get_content()):
                path = "/" + link.partition("://")[2].partition("/")[2]
                if path.startswith(page) if page else not path.startswith("/not-me"):
                    return path
        raise AssertionError(f"no link for {address}")

    def kinds(self, address: str) -> list[str]:
        """Returns the kinds of mail sent to an address, oldest first, such as "link_new" or "new_device"."""
        return [letter["Message-ID"].strip("<").partition(".")[0] for letter in self.letters(address)]


# Pages are remembered as long as settings are what they were.
setting_changed.connect(lambda **_changed: plain_page.forget(), weak=False)


@pytest.fixture(autouse=True)
def as_new(request):
    """Resets mail, caches, limits and lateness for each test that uses the site; tests of pure functions need none."""
    if request.node.get_closest_marker("django_db") or not {"db", "client"}.isdisjoint(request.fixturenames):
        for name in ("real_mail", "empty_caches", "no_look", "whole_windows"):
            request.getfixturevalue(name)


@pytest.fixture
def real_mail(settings, tmp_path):
    """Our own mailers, with a folder for this test: Django's test runner replaces every mailer."""
    settings.MAILERS = {
        "default": {"BACKEND": "outbox.mail.backends.OutboxBackend"},
        "delivery": {"BACKEND": "outbox.mail.backends.EmlBackend", "OPTIONS": {"file_path": str(tmp_path / "mail")}},
    }


@pytest.fixture(autouse=True)
def english():
    """English, in which each test starts: a request leaves its language behind in its thread."""
    translation.activate("en")


@pytest.fixture
def empty_caches():
    """Caches without the limits and sessions of the test before, and no memory of a Redis that was away."""
    for breaker in breakers.values():
        breaker.retry_at = 0.0
    caches["default"].clear()


@pytest.fixture
def no_look(monkeypatch):
    """A process that has just looked whether mail is late: so that look adds no statement to those a test counts."""
    watch = lateness.Watch(next_look=time.monotonic() + lateness.LOOK_EVERY)
    monkeypatch.setattr(lateness, "watch", watch)


@pytest.fixture
def whole_windows(monkeypatch):
    """Windows of limits that start with the test: the real ones end at fixed times, which might fall within it."""
    start = int(time.time())

    def window(_value, period):
        return start + (int(time.time()) - start) // period * period + period

    monkeypatch.setattr("django_ratelimit.core._get_window", window)


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """A `db` whose rows threads, workers and the server of a browser see too. The database is empty afterwards.

    Like `django_db(transaction=True)`, but without its flush of all tables, which takes twenty times as long.
    """
    assert connection.settings_dict["NAME"].startswith("test_"), "pytest-django makes one for tests that use `db`"
    with django_db_blocker.unblock():
        yield
        delete_all()
        connection.close()  # the next test may run in Playwright's context, with another connection


def delete_all():
    """Deletes all rows of all models, but not the content types and permissions that Django has made."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    tables -= {ContentType._meta.db_table, Permission._meta.db_table}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(";".join(f'DELETE FROM "{table}"' for table in tables))  # noqa: S608 - names of our own tables


@pytest.fixture
def server(db, settings, request):
    """The site on a port of its own, shared by all tests of this process; its `db` must be `committed`."""
    # Asked for by name, because pytest-django flushes the database after every test that lists this fixture.
    live_server = request.getfixturevalue("live_server")
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, live_server.thread.host]
    return live_server


@pytest.fixture
def mailbox(db, tmp_path) -> Mailbox:
    return Mailbox(tmp_path / "mail")


@pytest.fixture
def ada(db):
    """A user with an account and a password."""
    return UserFactory(username="ada", email="ada@example.com")


@pytest.fixture
def admin_user(db):
    """The owner of the site. The fixture of pytest-django would be called "admin", a name that the site refuses."""
    return UserFactory(username="olga", email="olga@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def google() -> Iterator[Google]:
    """The stand-in for Google of this process: everybody consents, and nothing goes wrong unless the test says so."""
    stand_in().reset()
    yield stand_in()
    stand_in().reset()


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Broker | Given]:
    """The RabbitMQ of this process, or the one that the environment names. Skips the test if there is none."""
    if given := os.environ[GIVEN_BROKER]:
        yield Given(given)
    elif not program():
        pytest.skip("no RabbitMQ")
    else:
        with folders.scratch() as folder, Broker(folder) as broker:
            yield broker


@pytest.fixture
def broker(rabbitmq, settings) -> Iterator[Broker | Given]:
    """RabbitMQ with nothing declared in it, and a site that uses it."""
    with taking_turns(rabbitmq):
        rabbitmq.heal()
        forget(rabbitmq.url)
        settings.AMQP_URL = rabbitmq.url
        yield rabbitmq


@pytest.fixture
def own_broker(broker) -> Broker:
    """A RabbitMQ that a test may kill and wipe, with nothing declared in it. Skips the test if it is not ours."""
    if isinstance(broker, Given):
        pytest.skip("the broker that AMQP_URL names is not ours to kill")
    return broker


@pytest.fixture
def announced(db, settings):
    """A function that returns the events stored for other services, oldest first, as names and fields.

    A broker is configured, but nothing connects to it.
    """
    settings.AMQP_URL = "amqp://localhost"
    return lambda: list(OutboxEvent.objects.order_by("id").values_list("name", "payload"))


@pytest.fixture
def signed_in(ada) -> Client:
    """Ada's browser after she signed in with her password."""
    client = Client()
    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def desk(admin_user) -> Client:
    """The browser of the site's owner after she signed in with her password."""
    client = Client()
    assert client.post("/login", {"login": admin_user.username, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def cache_calls(monkeypatch):
    """The names of the cache operations that a test sends to Redis, in order."""
    calls = []
    names = "get set add incr delete touch get_many set_many delete_many has_key take give_back"
    for name in names.split():
        original = getattr(RedisWindows, name)

        def counting(self, *args, name=name, original=original, **kwargs):
            calls.append(name)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(RedisWindows, name, counting)
    return calls


@pytest.fixture
def hashes(monkeypatch):
    """A list that grows with each password that is hashed."""
    counted = []
    for name in ("encode", "verify"):
        original = getattr(Argon2, name)

        def counting(self, *args, original=original, **kwargs):
            counted.append(original)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(Argon2, name, counting)
    return counted


@pytest.fixture
def black_hole():
    """The address of a socket that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def swallow():
            while True:
                try:
                    held.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=swallow, daemon=True).start()
        yield server.getsockname()
        for connection, _address in held:
            connection.close()


@pytest.fixture
def closed_port():
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()
