"""`make run`, seen from the terminal and the browser."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from itertools import islice

import pytest

import embedded
from embedded import folders, servers
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.slow


def terminal(state, **given):
    """Returns the environment of a terminal in which nothing of the site is set but this."""
    forgotten = {*embedded.CONFIGURED, "EMAIL_URL", "DEV_MAILBOX", "MAKELEVEL"}
    environ = {name: value for name, value in os.environ.items() if name not in forgotten}
    return environ | {"FRONTDOOR_STATE": str(state)} | given


@contextmanager
def running(state, port, **given):
    with subprocess.Popen(
        [sys.executable, "-m", "embedded.run"],
        env=terminal(state, PORT=str(port), **given),
        cwd=folders.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def read_until(process, last):
    """Returns the lines that a process prints, up to the line `last`."""
    lines = []
    while last not in lines:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        lines.append(line.removesuffix("\n"))
    return lines


def get(port, path):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status


# What the curl examples of the README answer: the first name in each object.
EXAMPLES = ["message", "user", "user", "message", "user", "message"]


# What the curl examples of docs/api.md answer, from the first mail of an account to its end.
STORY = "message message user user message errors user user message to user user sessions message".split()


def paste(page, port):
    """Runs the curl examples of a page in one shell, and returns their JSON answers."""
    blocks = re.findall(r"```sh\n(.*?)```", (folders.BASE_DIR / page).read_text(), re.DOTALL)
    first = next(number for number, block in enumerate(blocks) if block.startswith("site="))
    commands = "".join(block for block in blocks[first:] if not block.startswith("make "))
    commands = commands.replace("http://localhost:8000", f"http://localhost:{port}")
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-c", commands], capture_output=True, text=True, check=True, timeout=120
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The folder of a site, which all tests of this file share."""
    return tmp_path_factory.mktemp("state")


def test_it_starts_the_site_tells_four_addresses_and_stops_everything(state):
    port = servers.free_port()
    with running(state, port) as process:
        told = read_until(process, "Ctrl-C stops everything; what you did is kept.")
        assert told[0] == told[5] == ""  # nothing of a log stands between the addresses
        assert [line.split()[0] for line in told[1:5]] == ["Frontdoor", "Desk", "Mailbox", "Owner"]
        assert told[6:-1] == ["To become the owner, open the address behind “Owner”. It works once."]
        site, desk, mailbox, owner = (line.split()[1] for line in told[1:5])
        assert (site, desk, mailbox) == tuple(f"http://localhost:{port}/{path}" for path in ("", "admin/", "dev/mail/"))
        for address in (site, mailbox, owner):
            assert get(port, address.removeprefix(f"http://localhost:{port}")) == 200
        assert get(port, "/readyz") == 200
        assert [next(iter(answer)) for answer in paste("README.md", port)] == EXAMPLES
        answers = paste("docs/api.md", port)
        assert [next(iter(answer)) for answer in answers] == STORY, answers
        assert [error["code"] for error in answers[5]["errors"]] == ["second_factor"]
        assert [answers[n]["user"]["email"] for n in (2, 10)] == ["grace@example.com", "grace@new.example"]

        make_superuser(state)
        with socket.create_connection(("127.0.0.1", port)):  # as browsers keep a spare one
            process.send_signal(signal.SIGINT)
            rest, said = process.communicate()
        assert (process.returncode, rest) == (0, "")
        steps = ["Starting the database and the cache …", "Preparing the tables …", "Starting the site …"]
        assert said.splitlines() == [*steps, "", "Stopping …"]
    with pytest.raises(ConnectionRefusedError):
        get(port, "/healthz")
    lock = folders.try_lock(state / "servers.lock")  # the servers held this lock, too, and so have ended
    assert lock
    os.close(lock)


def make_superuser(state):
    command = [sys.executable, "manage.py", "createsuperuser", "--no-input"]
    named = {"DJANGO_SUPERUSER_USERNAME": "olga", "DJANGO_SUPERUSER_EMAIL": "olga@example.com"}
    environ = terminal(state, **named, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    subprocess.run(command, env=environ, cwd=folders.BASE_DIR, check=True, capture_output=True)


def test_once_there_is_an_owner_it_names_them_and_with_a_broker_the_relay_runs(state, closed_port):
    host, port = closed_port
    with running(state, servers.free_port(), AMQP_URL=f"amqp://{host}:{port}") as process:
        told = read_until(process, "Ctrl-C stops everything; what you did is kept.")
        assert [line.split()[0] for line in told[1:4]] == ["Frontdoor", "Desk", "Mailbox"]
        assert told[4:-1] == ["", "Sign in as olga: there is a superuser already."]
        alarm = threading.Timer(60, process.terminate)
        alarm.start()
        waiting = (line for line in process.stdout if "waiting for the broker" in line)
        assert len(list(islice(waiting, 2))) == 2
        alarm.cancel()


def test_a_setting_that_cannot_be_used_is_one_line_before_anything_starts(tmp_path):
    for name, value in {"SIGNUP": "maybe", "WEB_CONCURRENCY": "many"}.items():
        with running(tmp_path / "state", servers.free_port(), **{name: value}) as process:
            printed, said = process.communicate()
        assert (process.returncode, printed, said.count("\n")) == (1, "", 1)
        assert said.startswith(f"{name} must be ")
        assert not (tmp_path / "state" / "postgres").exists()


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1"])
def test_a_port_that_cannot_be_one_is_one_line(tmp_path, port):
    with running(tmp_path, port) as process:
        assert process.communicate() == ("", f"PORT must be a number from 1 to 65535, not {port!r}.\n")
        assert process.returncode == 1


def test_a_port_in_use_is_one_line_with_the_way_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path, port) as process:
            _, said = process.communicate()
    assert said.startswith(f"Port {port} cannot be used")
    assert said.endswith(f"make run PORT={port + 1}\n")
