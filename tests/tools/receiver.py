"""Webhook receivers on loopback: one that keeps the events it gets, and some that make trouble."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

DRIP_PAUSE = 0.02  # seconds between two bytes


class Told(NamedTuple):
    path: str
    headers: dict[str, str]  # with names in lower case
    body: bytes


class Receiver:
    """A receiver that keeps each event in `told`. It answers `status`, or what `answers` returns for the event."""

    def __init__(self):
        self.told, self.status, self.headers = [], 200, {}
        self.answers = lambda _told: self.status

    @contextmanager
    def listening(self, tls=None) -> Iterator["Receiver"]:
        with ThreadingHTTPServer(("127.0.0.1", 0), self.handler()) as server:
            if tls:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield self
            server.shutdown()

    def url(self, path="/hook", host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    def handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                headers = {name.lower(): value for name, value in self.headers.items()}
                told = Told(self.path, headers, self.rfile.read(int(headers["content-length"])))
                receiver.told.append(told)
                self.send_response(receiver.answers(told))
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_args):
                pass

        return Handler


def drip(connection):
    """Sends a header that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-drip: ")
    while True:
        connection.sendall(b"x")
        time.sleep(DRIP_PAUSE)


def flood(connection):
    """Sends answers without end."""
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def hang(connection):
    connection.recv(1)
    time.sleep(30)


def close(connection):
    connection.recv(100_000)


def babble(connection):
    connection.recv(100_000)
    connection.sendall(b"220 mail.example ESMTP\r\n")


@contextmanager
def trouble(kind) -> Iterator[str]:
    """Runs a server that calls `kind` with each connection, and gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with suppress(OSError):
                while True:
                    connection, _address = server.accept()
                    threading.Thread(target=make, args=(connection,), daemon=True).start()

        def make(connection):
            with connection, suppress(OSError):
                kind(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
