"""A whole site of real processes, whose parts can be stopped, paused and brought back."""

import http.client
import json
import secrets
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from unittest.mock import patch
from urllib.parse import urlencode

import redis

from embedded import children, servers
from embedded.folders import BASE_DIR
from embedded.run import GUNICORN
from tests.tools.factories import PASSWORD

# Seconds for any request, as promised. The server gives up after 0.25 for Redis and 2 for PostgreSQL; the rest is for a
# busy machine.
WORST = 4.0
ADDED = 0.1  # seconds that a request may take longer than before, once some requests have met the fault

# The shell lets the processes go on when its stdin has a line or ends: no paused server may outlive the tests.
PAUSE = 'kill -STOP "$@"; echo; read go_on; kill -CONT "$@"'

PEOPLE = 20
POPULATE = f"""
import django; django.setup()
from django.core.management import call_command
from accounts.models import User
call_command("migrate", verbosity=0)
for n in range({PEOPLE}):
    User.objects.create_user(f"person{{n}}", f"person{{n}}@example.com")
first = User.objects.first()
first.set_password({PASSWORD!r})
User.objects.update(password=first.password)
"""


class Part:
    """PostgreSQL or Valkey, always at the same address with the same password."""

    def __init__(self, start, place):
        self.start_server, self.place = start, place
        self.port, self.password = servers.free_port(), secrets.token_urlsafe(32)
        self.running = self.pauser = None
        self.start()

    def start(self):
        self.running = ExitStack()
        with (
            patch("embedded.servers.free_port", lambda: self.port),
            patch("secrets.token_urlsafe", lambda _length: self.password),
        ):
            self.server = self.start_server(self.running, self.place)

    @property
    def url(self):
        return self.server.url

    def client(self):
        return closing(redis.Redis.from_url(self.url))

    def stop(self):
        self.resume()
        if self.running:
            self.running.close()
        self.running = None

    def pause(self):
        pid = self.server.process.pid
        children_of = Path(f"/proc/{pid}/task/{pid}/children")  # PostgreSQL has one for each connection, and more
        offspring = children_of.read_text().split() if children_of.exists() else []
        self.pauser = subprocess.Popen(
            ["/bin/sh", "-c", PAUSE, "sh", str(pid), *offspring], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pauser.stdout.readline()

    def resume(self):
        if self.pauser:
            self.pauser.communicate()
        self.pauser = None

    def heal(self):
        self.resume()
        if not self.running:
            self.start()


class Site:
    """A gunicorn on loopback, as in production; `answers` holds all its answers."""

    def __init__(self, environ, log):
        self.port, self.log, self.answers = servers.free_port(), log, []
        address = {"SITE_URL": f"http://127.0.0.1:{self.port}", "BIND": f"127.0.0.1:{self.port}"}
        with log.open("wb") as output:
            self.process = children.start(
                [sys.executable, *GUNICORN], cwd=BASE_DIR, env=environ | address, stdout=output, stderr=output
            )
        wait_until(self.is_up)
        Browser(self).get("/login")  # the first page loads what all later ones need

    def stop(self):
        children.stop(self.process, signal.SIGKILL)  # nobody waits for its answers, so it needs no time to end

    def is_up(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return Browser(self).get("/healthz").status == 200
        except OSError:
            return False

    def is_whole(self):
        ready = json.loads(Browser(self).get("/readyz").text)
        return ready["database"] and ready["cache"]  # the rest says that mail is late, as no worker runs here

    def people(self, first, count):
        browsers = [Browser(self) for _ in range(count)]
        assert [browser.sign_in(f"person{first + n}").status for n, browser in enumerate(browsers)] == [302] * count
        return browsers

    def times_said(self, words):
        return self.log.read_text().count(words)


class Answer:
    def __init__(self, response, seconds):
        self.status, self.headers, self.seconds = response.status, response.headers, seconds
        self.text = response.read().decode()


class Browser:
    """A plain HTTP client with cookies. It follows no redirects, and measures each answer."""

    def __init__(self, site, cookies=()):
        self.site, self.cookies = site, dict(cookies)

    def copy(self):
        """Returns a browser with the cookies of this moment, whatever the site sets later."""
        return Browser(self.site, self.cookies)

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **form):
        return self.ask("POST", path, urlencode(form | {"csrfmiddlewaretoken": self.cookies["frontdoor_csrf"]}))

    def sign_in(self, name, password=PASSWORD):
        self.get("/login")
        return self.post("/login", login=name, password=password)

    def is_signed_in(self):
        answer = self.copy().get("/account")
        assert answer.status in {200, 302}
        return answer.status == 200

    def ask(self, method, path, body=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response, time.perf_counter() - started)
        self._keep(response.headers.get_all("Set-Cookie", []))
        self.site.answers.append(answer)
        return answer

    def _keep(self, lines):
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value != '""':
                self.cookies[name] = value


def at_once(browsers, seconds):
    """Has all browsers ask for their account again and again for so many seconds; returns the answers."""
    end = time.monotonic() + seconds

    def ask(browser):
        answers = [browser.get("/account")]
        while time.monotonic() < end:
            answers.append(browser.get("/account"))
        return answers

    with ThreadPoolExecutor(len(browsers)) as pool:
        return [answer for answers in pool.map(ask, browsers) for answer in answers]


def one_by_one(browser, count=15):
    return [browser.get("/account") for _ in range(count)]


def typical(answers):
    return median(answer.seconds for answer in answers)


def worst(answers):
    return max(answer.seconds for answer in answers)


def summary(answers):
    seconds = sorted(answer.seconds * 1000 for answer in answers)
    return f"{len(seconds)} requests, median {median(seconds):.0f} ms, worst {seconds[-1]:.0f} ms"


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
