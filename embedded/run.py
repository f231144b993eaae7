"""Runs the whole site on this machine until Ctrl-C: what `make run` starts."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

import embedded
from embedded import children
from embedded.folders import BASE_DIR
from embedded.housekeeping import Housekeeping
from embedded.local import THIS_MACHINE, is_set
from embedded.parts import Parts

LAST_PORT = 65535
FIRST_ANSWER = 30  # seconds that the web server may take until its first answer
STOP = (signal.SIGINT, signal.SIGTERM)
GUNICORN = ("-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi")
# What the settings are read with before the servers run.
NOT_YET = {"DATABASE_URL": "postgres://localhost/frontdoor", "REDIS_URL": "redis://localhost"}
BECOME_OWNER = "To become the owner, open the address behind “Owner”. It works once."
BECOME_OWNER_ELSEWHERE = "While there is no owner: .venv/bin/python manage.py owner_link --email YOUR_ADDRESS"


def main() -> NoReturn:
    """Starts the servers, the web server and the workers, prints where the site is, and waits.

    Stops all of them, and raises SystemExit, on Ctrl-C, SIGTERM or SIGHUP (status 0), or when one ends or does not
    start, or PORT or another setting cannot be used (status 1). It goes on without Valkey, though, if Valkey ends
    later.
    """
    stop_when_told()
    os.chdir(BASE_DIR)
    port = usable_port(os.environ.get("PORT") or "8000")
    read_settings()
    with ExitStack() as stack:
        parts = start_servers(stack, "make run")
        tell(*start_site(parts, port))
        keep_running(parts)


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
    with suppress(OSError):  # the terminal may be gone; sys.stderr may be in the middle of a line of ours
        os.write(sys.stderr.fileno(), "\nStopping …\n".encode())
    raise SystemExit(0)


def is_stopping() -> bool:
    """Returns whether a signal has asked for the end: the SystemExit of _stop() is lost if it meets a finalizer."""
    return signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


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


def read_settings() -> None:
    """Raises SystemExit if a setting cannot be used; one line on stderr has said why. No server need run for that."""
    environ = dict(os.environ)
    embedded.local_settings(environ)
    environ |= {name: NOT_YET[name] for name in embedded.missing(environ)}
    if children.start([sys.executable, "-c", "import config.gunicorn"], env=environ).wait():
        raise SystemExit(1)


def start_servers(stack: ExitStack, command: str) -> Parts:
    """Starts the servers that the settings do not name, for `command`. Returns them as the first parts of the site.

    Raises SystemExit as embedded.supply() does.
    """
    if embedded.missing(os.environ):
        _say("Starting the database and the cache …")
    return Parts(stack, stack.enter_context(embedded.supply(os.environ, command)))


def start_site(parts: Parts, port: int) -> tuple[dict[str, str], str]:
    """Starts the web server on `port`, and waits for its first answer.

    Returns the addresses of the site, by names for people, and how to enter the desk as its owner. Raises SystemExit if
    the tables cannot be made, or if a part ends or does not answer.
    """
    _say("Preparing the tables …")
    parts.run(sys.executable, "manage.py", "migrate", "--verbosity", "0")
    _say("Starting the site …")
    os.environ["BIND"] = f"127.0.0.1:{port}"
    os.environ.setdefault("LOG_LEVEL", "WARNING")  # a line for each request would push the addresses out of sight
    parts.start("The web server", sys.executable, *GUNICORN)
    link, about_owners = _owners(parts)
    _await_answer(port, parts)
    site = os.environ["SITE_URL"].rstrip("/")
    addresses = {"Frontdoor": f"{site}/", "Desk": f"{site}/admin/"}
    if os.environ.get("DEV_MAILBOX"):
        addresses["Mailbox"] = f"{site}/dev/mail/"
    return addresses | ({"Owner": link} if link else {}), about_owners


def _owners(parts: Parts) -> tuple[str, str]:
    """Returns the address at which the first owner signs up, or "", and how to enter the desk as an owner."""
    if urlsplit(os.environ["SITE_URL"]).hostname not in THIS_MACHINE:
        return "", BECOME_OWNER_ELSEWHERE
    said = parts.run(sys.executable, "manage.py", "owner_link", stderr=subprocess.STDOUT).strip()
    link = next((line for line in said.splitlines() if line.startswith("http")), "")
    return link, BECOME_OWNER if link else said


def _await_answer(port: int, parts: Parts) -> None:
    """Returns once the web server answers on `port`.

    Raises SystemExit if one of `parts` ends, or if there is no answer within FIRST_ANSWER seconds.
    """
    deadline = time.monotonic() + FIRST_ANSWER
    while not _answers(port):
        parts.notice_loss()
        if time.monotonic() > deadline:
            raise SystemExit(f"The web server does not answer on port {port}.")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    host = urlsplit(os.environ["SITE_URL"]).netloc
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz", headers={"Host": host})
            return connection.getresponse().status == HTTPStatus.OK
        except OSError:
            return False


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def tell(addresses: dict[str, str], about_owners: str) -> None:
    """Prints the addresses, by their names, and what to do with them."""
    sys.stdout.write("\n")
    sys.stdout.writelines(f"{name:10} {address}\n" for name, address in addresses.items())
    sys.stdout.write(f"\n{about_owners}\nCtrl-C stops everything; what you did is kept.\n")
    sys.stdout.flush()


def keep_running(parts: Parts) -> NoReturn:
    """Starts the workers, does the chores of a timer, and waits until a part ends: raises SystemExit then."""
    for name, command in _workers().items():
        parts.start(name, sys.executable, "manage.py", command)
    chores = Housekeeping(
        lambda command: parts.start_beside(sys.executable, "manage.py", command, "-v", "0"), time.monotonic()
    )
    while not is_stopping():
        parts.notice_loss()
        chores.look(time.monotonic())
        time.sleep(0.2)
    raise SystemExit(0)


def _workers() -> dict[str, str]:
    """Returns the commands of the worker processes, by names for messages."""
    workers = {"The mail worker": "deliver_mail", "The webhook worker": "deliver_webhooks"}
    return workers | ({"The relay": "relay_mail"} if is_set(os.environ, "AMQP_URL") else {})


if __name__ == "__main__":
    main()
