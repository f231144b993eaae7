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

pytestmark = pytest.mark.slow


@contextmanager
def running(state, port, **given):
    forgotten = {*embedded.CONFIGURED, "EMAIL_URL", "DEV_MAILBOX", "MAKELEVEL"}
    environ = {name: value for name, value in os.environ.items() if name not in forgotten}
    with subprocess.Popen(
        [sys.executable, "-m", "embedded.run"],
        env=environ | {"FRONTDOOR_STATE": str(state), "PORT": str(port)} | given,
        cwd=folders.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


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
        names = ("Front", "Desk", "Mail", "Owner")
        lines = [next(line for line in process.stdout if line.startswith(name)) for name in names]
        site, desk, mailbox, owner = (line.split()[1] for line in lines)
        assert (site, desk, mailbox) == tuple(f"http://localhost:{port}/{path}" for path in ("", "admin/", "dev/mail/"))
        for address in (site, mailbox, owner):
            assert get(port, address.removeprefix(f"http://localhost:{port}")) == 200
        assert get(port, "/readyz") == 200
        assert [next(iter(answer)) for answer in paste("README.md", port)] == EXAMPLES
        told = paste("docs/api.md", port)
        assert [next(iter(answer)) for answer in told] == STORY, told
        assert [error["code"] for error in told[5]["errors"]] == ["second_factor"]
        assert [told[n]["user"]["email"] for n in (2, 10)] == ["grace@example.com", "grace@new.example"]

        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode == 0
        steps = ["Starting the database and the cache …", "Preparing the tables …", "Starting the site …"]
        assert [line for line in said.splitlines() if line in steps] == steps
    with pytest.raises(ConnectionRefusedError):
        get(port, "/healthz")
    lock = folders.try_lock(state / "servers.lock")  # the servers held this lock, too, and so have ended
    assert lock
    os.close(lock)


def test_with_a_broker_the_relay_runs_beside_the_worker(state, closed_port):
    host, port = closed_port
    with running(state, servers.free_port(), AMQP_URL=f"amqp://{host}:{port}") as process:
        alarm = threading.Timer(60, process.terminate)
        alarm.start()
        waiting = (line for line in process.stdout if "waiting for the broker" in line)
        assert len(list(islice(waiting, 2))) == 2
        alarm.cancel()


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
