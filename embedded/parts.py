"""The processes that make up a running site: `make run` has them, `make example` some more."""

import subprocess
import sys
from contextlib import ExitStack
from typing import Any

from embedded import children
from embedded.servers import Server

# Seconds that parts may take to end. A web server waits for longer if a browser holds a spare connection, on which no
# request comes. A mail or an event that is on its way then may go out twice; none is lost.
PATIENCE = 2


class Parts:
    """Processes that run until one of them ends. The end of `stack` stops all but the servers, at once."""

    def __init__(self, stack: ExitStack, servers: list[Server]) -> None:
        self._watched = {server.name: server.process for server in servers}
        self._started: list[children.Child] = []
        stack.callback(children.stop_all, self._started, PATIENCE)

    def start(self, name: str, *argv: object, **options: Any) -> None:
        """Starts a program that is to run as long as the site; `name` is for messages, `options` are those of Popen."""
        self._watched[name] = self.start_beside(*argv, **options)

    def start_beside(self, *argv: object, **options: Any) -> children.Child:
        """Starts a program that may end before the site, and returns its process."""
        child = children.start(argv, **options)
        self._started.append(child)
        return child

    def run(self, *argv: object, **options: Any) -> str:
        """Runs a program to its end, and returns what it prints. Raises SystemExit if it fails: it has said why."""
        child = self.start_beside(*argv, stdout=subprocess.PIPE, **options)
        output, _ = child.communicate()
        if child.returncode:
            sys.stderr.write(output.decode())
            raise SystemExit(1)
        return output.decode()

    def notice_loss(self) -> None:
        """Raises SystemExit if one of the parts has ended. A lost Valkey is only reported, once, on stderr."""
        for name in [name for name, child in self._watched.items() if child.poll() is not None]:
            code = self._watched.pop(name).returncode
            if name != "Valkey":
                raise SystemExit(f"{name} has ended ({code}): stopping the rest.")
            # Without it pages answer from the database, as in production: stopping Valkey is a way to try that.
            sys.stderr.write(f"Valkey has ended ({code}): the site goes on without it.\n")
