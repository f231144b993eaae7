"""Promise 5 under kill -9: nothing is lost, and what comes twice is the same mail."""

import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest
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

    def start():
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        environment = os.environ | {"DATABASE_URL": url, "EMAIL_URL": f"eml://{tmp_path / 'mail'}"}
        command = [sys.executable, "-m", "django", "deliver_mail"]
        process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


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


def test_sigterm_finishes_the_mail_in_hand_and_stops(worker):
    process = worker()
    Invite.objects.issue("grace@example.com")
    wait_until(lambda: sent() == 1)

    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
