"""Promise 5 under kill -9: nothing is lost, and what comes twice is the same mail."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings
from django.db import connection

from invites.models import Invite
from mail.models import OutboxMessage

pytestmark = pytest.mark.django_db(transaction=True)

MAILS = 60
KILLS = 8


@pytest.fixture
def worker(tmp_path):
    """Starts a real deliver_mail process that writes .eml files."""
    running = []

    def start(email_url=f"eml://{tmp_path / 'mail'}"):
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        environment = os.environ | {"DATABASE_URL": url, "EMAIL_URL": email_url}
        command = [sys.executable, "-m", "django", "deliver_mail"]
        process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


class SlowSink:
    """A mail server that takes its time."""

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


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def sent():
    return OutboxMessage.objects.exclude(sent_at=None).count()


def test_killed_workers_lose_no_mail(worker, tmp_path):
    for n in range(MAILS):
        Invite.objects.issue(f"guest{n}@example.com")

    for kill in range(KILLS):
        process = worker()
        wait_until(lambda goal=(kill + 1) * 5: sent() >= goal)
        process.kill()
        process.wait()
    worker()
    wait_until(lambda: sent() == MAILS)

    assert len(list((tmp_path / "mail").glob("*.eml"))) == MAILS


def test_sigterm_finishes_the_mail_in_hand_and_stops(worker, slow_smtp):
    Invite.objects.issue("grace@example.com")
    process = worker(slow_smtp.url)
    assert slow_smtp.busy.wait(30)

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert sent() == 1


def test_a_worker_outlives_its_database(worker, tmp_path):
    process = worker()
    Invite.objects.issue("grace@example.com")
    wait_until(lambda: sent() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    Invite.objects.issue("alan@example.com")

    wait_until(lambda: sent() == 2)
    assert process.poll() is None
