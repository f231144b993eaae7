"""A RabbitMQ on loopback for tests that kill it, if `rabbitmq-server` is installed. Needs no pytest."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pika

from embedded import children, servers
from tests.tools.servers import LOCK

PATIENCE = 60  # seconds for a start; it takes 5 on an idle machine
# Debian's command of this name must run as root or rabbitmq, so the program behind it comes first.
PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server"))
CONFIGURATION = """\
listeners.tcp.default = 127.0.0.1:{port}
default_user = frontdoor
default_pass = {password}
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
log.file.level = warning
"""


def program() -> str | None:
    return next((path for path in PROGRAMS if path and Path(path).exists()), None)


class Broker:
    """A RabbitMQ with its data in a folder, always at the same address. Its processes end with ours."""

    def __init__(self, folder: Path):
        self.folder, self.port, self.password = folder, servers.free_port(), secrets.token_urlsafe(32)
        self.epmd = self.server = None
        self.environ = self._environ(epmd_port=servers.free_port(), peers_port=servers.free_port())
        self._write("rabbitmq.conf", CONFIGURATION.format(port=self.port, password=self.password))
        self._write("enabled_plugins", "[].")
        self._write(".erlang.cookie", secrets.token_hex(16), mode=0o400)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"amqp://frontdoor:{self.password}@127.0.0.1:{self.port}/"

    def start(self):
        """Starts the broker on what its disk still holds, and waits for it. Raises AssertionError if that fails."""
        if self.epmd is None:
            # RabbitMQ itself would start an epmd that serves the whole machine and stays.
            argv = ["epmd", "-address", "127.0.0.1", "-port", self.environ["ERL_EPMD_PORT"]]
            self.epmd = children.start(argv, signal.SIGKILL, env=self.environ)
        with (self.folder / "rabbitmq.out").open("ab") as output:
            self.server = children.start(
                [program()], signal.SIGKILL, env=self.environ, cwd=self.folder, stdout=output, stderr=output
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self.server.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"RabbitMQ does not start: see {self.folder}")
            time.sleep(0.05)

    def kill(self):
        """Kills the broker with -9, which is like a power cut to it."""
        children.stop(self.server, signal.SIGKILL)

    def wipe(self):
        """Deletes all that the broker has on disk. It must not be running."""
        assert self.server.poll() is not None
        shutil.rmtree(self.folder / "data")

    def stop(self):
        for child in (self.server, self.epmd):
            if child:
                children.stop(child, signal.SIGKILL)
        self.server = self.epmd = None

    def heal(self):
        """Starts the broker unless it is running."""
        if self.server is None or self.server.poll() is not None:
            self.start()

    def _environ(self, epmd_port, peers_port):
        return {
            "PATH": f"{os.defpath}:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),  # its .erlang.cookie is there
            "RABBITMQ_NODENAME": "frontdoor@localhost",
            "RABBITMQ_DIST_PORT": str(peers_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd_port),
            # With this RabbitMQ replaces the shell that starts it, so that it gets the signals for our child.
            "RABBITMQ_ALLOW_INPUT": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _write(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"  # the first byte of its greeting
        except OSError:
            return False


class Given:
    """A RabbitMQ that AMQP_URL names. It is not ours, so tests never kill it."""

    def __init__(self, url):
        self.url = url

    def heal(self):
        pass


@contextmanager
def taking_turns(broker):
    """Lets one process at a time use a Given broker: the names of queues there are always the same."""
    if isinstance(broker, Given):
        with open(f"{os.environ[LOCK]}.amqp", "a") as file:  # noqa: PTH123 its path is a text
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    else:
        yield


def forget(url):
    """Deletes the queues and the exchange that the site declares at a broker."""
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        for queue in ("frontdoor.mail", "frontdoor.mail.dead"):
            channel.queue_delete(queue)
        channel.exchange_delete("frontdoor.events")
