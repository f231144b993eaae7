"""Apps hear of each session that has ended, although the worker that tells them is killed again and again."""

import signal
import threading
import time
from urllib.parse import parse_qs

import jwt
import pytest

from sso.models import Login, LogoutCall
from tests.faults.parts import wait_until
from tests.sso.logins import AppFactory, signed_in
from tests.tools.factories import UserFactory
from tests.tools.receiver import Receiver
from tests.tools.workers import kill_while_working

pytestmark = pytest.mark.usefixtures("db")

CALLS = 60
KILLS = 8
COMMAND = "deliver_webhooks"


@pytest.fixture
def receiver():
    with Receiver().listening() as receiver:
        yield receiver


def end_logins(number, url):
    person, app = UserFactory(), AppFactory(logout_uri=url)
    for n in range(number):
        signed_in(person, app, f"{n}")
    Login.objects.all().end()
    return {call.sid for call in LogoutCall.objects.all()}


def heard(receiver):
    """Returns the sessions whose end a receiver has heard of, and the ids of the tokens."""
    tokens = [parse_qs(told.body.decode())["logout_token"][0] for told in receiver.told]
    read = [jwt.decode(token, options={"verify_signature": False}) for token in tokens]
    return [said["sid"] for said in read], [said["jti"] for said in read]


def told():
    return LogoutCall.objects.exclude(told_at=None).count()


def test_killed_workers_lose_no_call(workers, receiver, record_property):
    def answer(_told):
        time.sleep(0.02)
        return 200

    receiver.answers = answer
    sessions = end_logins(CALLS, receiver.url())

    for _kill in kill_while_working(
        workers, [COMMAND], KILLS, lambda done: wait_until(lambda: told() >= done * CALLS, seconds=60)
    ):
        pass

    sids, jtis = heard(receiver)
    assert set(sids) == sessions
    assert len(sids) <= CALLS + KILLS
    assert len(set(jtis)) == len(jtis)
    record_property(f"{CALLS} calls, {KILLS} kills of {COMMAND}", f"{len(sids) - CALLS} told twice")


def test_a_worker_that_dies_while_the_app_listens_leaves_the_call_for_the_next(workers, receiver):
    asked, answer = threading.Event(), threading.Event()

    def wait(_told):
        asked.set()
        answer.wait(30)
        return 200

    receiver.answers = wait
    [session] = end_logins(1, receiver.url())
    first = workers.start(COMMAND)
    assert asked.wait(30)

    assert first.kill() == -signal.SIGKILL

    answer.set()
    assert told() == 0
    workers.start(COMMAND)
    wait_until(lambda: told() == 1)
    sids, jtis = heard(receiver)
    assert sids == [session, session]
    assert len(set(jtis)) == 2


def test_a_worker_that_is_told_to_stop_ends_the_call_in_hand(workers, receiver):
    asked, answer = threading.Event(), threading.Event()

    def wait(_told):
        asked.set()
        answer.wait(30)
        return 200

    receiver.answers = wait
    end_logins(CALLS, receiver.url())
    worker = workers.start(COMMAND)
    assert asked.wait(30)

    worker.signal(signal.SIGTERM)
    answer.set()

    assert worker.wait() == 0
    assert told() == len(receiver.told)  # a call more may have begun before the signal was heard
    assert LogoutCall.objects.waiting().count() == CALLS - told() > 0
