"""Runs the whole site on this machine until Ctrl-C: what `make run` starts."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

import embedded
from embedded import children
from embedded.folders import BASE_DIR
from embedded.housekeeping import Housekeeping
from embedded.local import is_set

LAST_PORT = 65535
FIRST_ANSWER = 30  # seconds that the web server may take until its first answer
STOP = (signal.SIGINT, signal.SIGTERM)
GUNICORN = ("-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi")

type Children = dict[str, children.Child]


def main() -> NoReturn:
    """Starts the servers, the web server and the workers, prints where the site is, and waits.

    Stops all of them, and raises SystemExit, on Ctrl-C, SIGTERM or SIGHUP (status 0), or when one ends or does not
    start, or PORT cannot be used (status 1). It goes on without Valkey, though, if Valkey ends later.
    """
    stop_when_told()
    os.chdir(BASE_DIR)
    port = usable_port(os.environ.get("PORT") or "8000")
    with ExitStack() as stack:
        if embedded.missing(os.environ):
            _say("Starting the database and the cache …")
        parts = {server.name: server.process for server in stack.enter_context(embedded.supply(os.environ))}
        _say("Preparing the tables …")
        _manage(stack, "migrate", "--verbosity", "0")
        _say("Starting the site …")
        os.environ["BIND"] = f"127.0.0.1:{port}"
        parts["The web server"] = _start(stack, *GUNICORN)
        owner_link = _first_address(_manage(stack, "owner_link"))
        _await_answer(port, parts)
        _tell(owner_link)
        for name, command in _workers().items():  # last, as nobody waits for them yet
            parts[name] = _start(stack, "manage.py", command)
        chores = Housekeeping(lambda command: _start(stack, "manage.py", command, "-v", "0"), time.monotonic())
        _watch(parts, chores)


def stop_when_told() -> None:
    """Makes SIGINT, SIGTERM and SIGHUP stop the site, and, under make, the end of make."""
    if "MAKELEVEL" in os.environ:  # a make that is killed would leave us running
        children.end_with_parent()
    for number in STOP:
        signal.signal(number, _stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it, and so must we
        signal.signal(signal.SIGHUP, _stop)


def _stop(*_: object) -> NoReturn:
    for number in (*STOP, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stopping
    raise SystemExit(0)


def usable_port(text: str, target: str = "run") -> int:
    """Returns `text` as a port number. Raises SystemExit if it is none, or if the port is in use.

    `target` is that of make, for the message.
    """
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise SystemExit(f"PORT must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise SystemExit(
                f"Port {text} cannot be used ({error.strerror}). Try: make {target} PORT={int(text) + 1}"
            ) from None
    return int(text)


def _workers() -> dict[str, str]:
    """Returns the commands of the worker processes, by names for messages."""
    workers = {"The mail worker": "deliver_mail", "The webhook worker": "deliver_webhooks"}
    return workers | ({"The relay": "relay_mail"} if is_set(os.environ, "AMQP_URL") else {})


def _start(stack: ExitStack, *args: str, stdout: int | None = None) -> children.Child:
    child = children.start([sys.executable, *args], stdout=stdout)
    stack.callback(children.stop, child)
    return child


def _manage(stack: ExitStack, *args: str) -> str:
    """Runs a command of manage.py and returns its output. Raises SystemExit if the command fails."""
    child = _start(stack, "manage.py", *args, stdout=subprocess.PIPE)
    output, _ = child.communicate()
    if child.returncode:
        raise SystemExit(1)  # the command has said why
    return output.decode()


def _first_address(output: str) -> str:
    """Returns the first line that is a URL, or ""."""
    return next((line for line in output.splitlines() if line.startswith("http")), "")


def _await_answer(port: int, parts: Children) -> None:
    """Returns once the web server answers on `port`.

    Raises SystemExit if one of `parts` ends, or if there is no answer within FIRST_ANSWER seconds.
    """
    deadline = time.monotonic() + FIRST_ANSWER
    while not answers(port):
        notice_loss(parts)
        if time.monotonic() > deadline:
            raise SystemExit(f"The web server does not answer on port {port}.")
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Returns whether the site answers on this port of our own machine."""
    host = urlsplit(os.environ["SITE_URL"]).netloc
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz", headers={"Host": host})
            return connection.getresponse().status == HTTPStatus.OK
        except OSError:
            return False


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _tell(owner_link: str) -> None:
    site = os.environ["SITE_URL"].rstrip("/")
    lines = {"Frontdoor": f"{site}/", "Desk": f"{site}/admin/"}
    if os.environ.get("DEV_MAILBOX"):
        lines["Mailbox"] = f"{site}/dev/mail/"
    if owner_link:
        lines["Owner"] = owner_link
    sys.stdout.writelines(f"{name:10} {address}\n" for name, address in lines.items())
    sys.stdout.flush()


def _watch(parts: Children, chores: Housekeeping) -> NoReturn:
    while True:
        notice_loss(parts)
        chores.look(time.monotonic())
        time.sleep(0.2)


def notice_loss(parts: Children) -> None:
    """Raises SystemExit if one of the parts has ended.

    A lost Valkey is only reported, once, on stderr, and removed from `parts`.
    """
    for name in [name for name, child in parts.items() if child.poll() is not None]:
        code = parts.pop(name).returncode
        if name != "Valkey":
            raise SystemExit(f"{name} has ended ({code}): stopping the rest.")
        # Without it pages answer from the database, as in production: stopping Valkey is a way to try that.
        sys.stderr.write(f"Valkey has ended ({code}): the site goes on without it.\n")


if __name__ == "__main__":
    main()
