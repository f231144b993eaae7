"""Promise 9 with a real PostgreSQL that dies and hangs while people are signed in."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from accounts.models import User
from tests.faults.parts import ADDED, WORST, Browser, at_once, one_by_one, summary, typical, wait_until, worst
from tests.tools.reading import words

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the processes of PostgreSQL are found in /proc")


@pytest.fixture(params=["stop", "pause"])
def fail(request, database):
    return getattr(database, request.param)


@pytest.mark.usefixtures("to_ourselves")
def test_people_are_told_when_to_come_back_and_then_go_on(site, database, fail, record_property):
    people = site.people(first=0, count=8)
    ada, stranger = people[0], Browser(site)
    stranger.get("/login")
    before, before_at_once = one_by_one(ada), at_once(people, seconds=0.5)
    site.answers.clear()

    fail()
    met = at_once(people, seconds=0)
    during, during_at_once = one_by_one(ada, 30), at_once(people, seconds=2.5)
    pressed = stranger.post("/login", login="person9", password="whatever it is")

    for answer in [*met, *during, *during_at_once, pressed]:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "120"
        assert "Sign-in is paused" in words(answer)
    assert stranger.get("/readyz").status == 503
    assert stranger.get("/healthz").status == 200
    assert Browser(site).get("/").status == 200  # needs no database
    assert worst(site.answers) < WORST
    assert typical(during) < typical(before) + ADDED
    assert typical(during_at_once) < typical(before_at_once) + ADDED
    record_property("postgres fails, one by one", f"before: {summary(before)}; after: {summary(during)}")
    record_property("postgres fails, eight at once", f"first: {summary(met)}; after: {summary(during_at_once)}")

    database.heal()
    wait_until(site.is_whole)
    assert all(browser.is_signed_in() for browser in people)
    assert stranger.sign_in("person9").status == 302
    assert site.times_said("Booting worker") == 1


def test_a_slow_statement_is_waited_for(site, database):
    (ada,) = site.people(first=0, count=1)
    with closing(psycopg.connect(database.url)) as other, ThreadPoolExecutor() as pool:
        other.execute(f"SELECT FROM {User._meta.db_table} WHERE username = 'person0' FOR UPDATE")
        answer = pool.submit(ada.post, "/language", language="ru")
        time.sleep(2)
        other.rollback()

    assert answer.result().status == 302
    assert answer.result().seconds > 1.5


def test_a_server_that_is_only_slow_is_waited_for_by_everybody(site, database):
    people = site.people(first=0, count=4)
    site.answers.clear()

    with ThreadPoolExecutor() as pool:
        asked = pool.submit(at_once, people, 2.5)
        for _ in range(2):
            time.sleep(0.3)
            database.pause()
            time.sleep(0.6)
            database.resume()
        answers = asked.result()

    assert {answer.status for answer in answers} == {200}
    assert site.times_said("postgres is away") == 0
