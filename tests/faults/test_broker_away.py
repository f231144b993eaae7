"""RabbitMQ away, killed and wiped: mail waits in the database, workers wait quietly, and everything arrives."""

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from invites.models import MagicLink
from outbox.models import OutboxMessage
from tests.faults.parts import wait_until

pytestmark = pytest.mark.usefixtures("db")


class Worker:
    """A command that runs until it is told to stop, with its log."""

    def __init__(self, command, environ, log):
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", command],
                cwd=django_settings.BASE_DIR,
                env=os.environ | environ,
                stdout=output,
                stderr=output,
            )

    def said(self, words):
        return self.log.read_text().count(words)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def start(own_broker, tmp_path):
    """A function that starts a command as in production, in this test's database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environ = {
        "DATABASE_URL": database,
        "EMAIL_URL": f"eml://{tmp_path / 'mail'}",
        "AMQP_URL": own_broker.url,
        "AMQP_REPUBLISH_SECONDS": "1",
    }
    workers = []

    def start(command):
        workers.append(Worker(command, environ, tmp_path / f"{command}.log"))
        return workers[-1]

    yield start
    for worker in workers:
        worker.process.kill()
        worker.process.wait()


def issue(count, name):
    for n in range(count):
        MagicLink.objects.issue(f"{name}{n}@example.com")


def sent():
    return OutboxMessage.objects.exclude(sent_at=None).count()


def unpublished():
    return OutboxMessage.objects.filter(published_at=None).count()


def test_a_broker_that_is_away_killed_and_wiped_loses_no_mail(own_broker, start, tmp_path):
    own_broker.kill()
    issue(3, "early")
    relay, worker = start("relay_mail"), start("deliver_mail")
    wait_until(lambda: relay.said("waiting for the broker") and worker.said("waiting for the broker"))
    own_broker.start()
    wait_until(lambda: sent() == 3)

    assert worker.stop() == 0
    issue(3, "late")
    wait_until(lambda: unpublished() == 0)
    own_broker.kill()
    own_broker.wipe()
    wait_until(lambda: relay.said("waiting for the broker") == 2)
    own_broker.start()
    worker = start("deliver_mail")
    wait_until(lambda: sent() == 6)

    assert len(list((tmp_path / "mail").glob("*.eml"))) == 6
    assert (relay.said("the broker is back"), worker.said("the broker is back")) == (2, 1)
    assert (relay.said("\n"), worker.said("\n")) == (4, 2 + 6)  # a line for each mail, too
    assert relay.stop() == 0
