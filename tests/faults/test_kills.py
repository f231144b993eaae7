"""Promise 5 under kill -9: no mail is lost, and a second copy is the same mail."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from invites.models import MagicLink
from outbox.models import OutboxMessage
from tests.faults.parts import wait_until
from tests.tools.sink import Outcome
from tests.tools.workers import kill_while_working

pytestmark = pytest.mark.usefixtures("db")

MAILS = 200
KILLS = 20


@pytest.fixture
def worker(tmp_path):
    """A function that starts a real deliver_mail process, which writes .eml files."""
    running = []

    def start(email_url=f"eml://{tmp_path / 'mail'}"):
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        environment = os.environ | {"DATABASE_URL": url, "EMAIL_URL": email_url}
        command = [sys.executable, "manage.py", "deliver_mail"]
        process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


class SlowSink:
    """A mail server that takes 1.5 seconds for each mail."""

    def __init__(self, url):
        self.url, self.busy = url, threading.Event()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.busy.set()
        await asyncio.sleep(1.5)
        return "250 taken"


@pytest.fixture
def slow_smtp(closed_port):
    host, port = closed_port
    sink = SlowSink(f"smtp://{host}:{port}")
    server = Controller(sink, hostname=host, port=port)
    server.start()
    yield sink
    server.stop()


def sent():
    return OutboxMessage.objects.exclude(sent_at=None).count()


def progress(done):
    """Waits until this part of all mail, from 0 to 1, is delivered."""
    wait_until(lambda: sent() >= done * MAILS, seconds=60)


@pytest.fixture
def survive(workers, sink, record_property):
    """A function that kills commands while they deliver, and returns the Outcome of the mail."""
    sink.delay = 0.02

    def survive(*commands, meanwhile=lambda _kill: None):
        for n in range(MAILS):
            MagicLink.objects.issue(f"guest{n}@example.com")
        for kill in kill_while_working(workers, commands, KILLS, progress):
            meanwhile(kill)
        outcome = Outcome.of(sink.on_disk(), OutboxMessage.objects.values_list("recipient", flat=True))
        record_property(f"{MAILS} mails, {KILLS} kills of {', '.join(commands)}", str(outcome))
        return outcome

    return survive


def test_killed_workers_lose_no_mail(survive):
    outcome = survive("deliver_mail", "deliver_mail")

    assert outcome.lost == outcome.altered == 0
    assert outcome.repeated <= KILLS


def test_killed_relays_consumers_and_brokers_lose_no_mail(survive, workers, own_broker):
    def kill_broker(kill):
        if kill == KILLS // 2:
            own_broker.kill()
            own_broker.start()

    workers.patched["django.conf.settings.AMQP_URL"] = own_broker.url
    outcome = survive("relay_mail", "deliver_mail", "deliver_mail", meanwhile=kill_broker)

    assert outcome.lost == outcome.altered == 0
    assert outcome.repeated <= KILLS


def test_a_frozen_worker_keeps_its_mail_from_others_no_longer_than_its_session_lasts(workers, sink):
    def freeze(_talk):
        del sink.says["mail"]
        frozen.signal(signal.SIGSTOP)

    sink.says["mail"] = freeze
    impatient = {"kit.worker_loop.SESSION": "SET idle_in_transaction_session_timeout = '1s'"}
    frozen = workers.start("deliver_mail", **impatient)
    MagicLink.objects.issue("grace@example.com")
    wait_until(lambda: not sink.says)
    other = workers.start("deliver_mail")
    wait_until(lambda: sent() == 1)
    other.kill()

    frozen.signal(signal.SIGCONT)
    MagicLink.objects.issue("alan@example.com")

    wait_until(lambda: sent() == 2)
    assert Outcome.of(sink.on_disk(), ["grace@example.com", "alan@example.com"]) == (0, 1, 0)


def end_transactions():
    """Ends the database sessions that wait within a transaction, as PostgreSQL does when one waits for too long."""

    def end():
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )

    with ThreadPoolExecutor(1) as pool:  # Django lets no query run in the loop of the mail server
        pool.submit(end).result()


def test_a_mail_that_outlasts_its_session_is_not_the_next_again(workers, sink):
    for name in ("grace", "alan"):
        MagicLink.objects.issue(f"{name}@example.com")

    sink.says["mail"] = lambda talk: end_transactions() if talk.sink.said["mail"] == 1 else None
    workers.start("deliver_mail")
    wait_until(lambda: sent() == 1)

    slow = OutboxMessage.objects.get(recipient="grace@example.com")
    assert (slow.attempts, slow.sent_at) == (1, None)
    assert slow.next_try_at > timezone.now()
    assert "database gave up waiting" in slow.last_answer


def test_sigterm_finishes_the_mail_in_hand_and_stops(worker, slow_smtp):
    MagicLink.objects.issue("grace@example.com")
    process = worker(slow_smtp.url)
    assert slow_smtp.busy.wait(30)

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert sent() == 1


def test_a_worker_outlives_its_database(worker, tmp_path):
    process = worker()
    MagicLink.objects.issue("grace@example.com")
    wait_until(lambda: sent() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    MagicLink.objects.issue("alan@example.com")

    wait_until(lambda: sent() == 2)
    assert process.poll() is None
