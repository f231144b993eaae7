"""A RabbitMQ of our own on loopback, to be ill-treated; where `rabbitmq-server` is installed. Needs no pytest."""

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

PATIENCE = 60  # seconds; it takes 5 on a machine that does nothing else
# Debian's command of this name wants to be root or rabbitmq, and starts it as the latter.
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
    """RabbitMQ on data in a folder, always at the same address. No process of it outlives ours."""

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
        """Starts it, with what its disk still holds, and waits until it answers."""
        if self.epmd is None:
            # It would start one that serves the whole machine and stays.
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
        """kill -9: as a power cut, for it."""
        children.stop(self.server, signal.SIGKILL)

    def wipe(self):
        """Forgets all that it had on disk. It must not run."""
        assert self.server.poll() is not None
        shutil.rmtree(self.folder / "data")

    def stop(self):
        for child in (self.server, self.epmd):
            if child:
                children.stop(child, signal.SIGKILL)
        self.server = self.epmd = None

    def heal(self):
        """Starts it unless it runs."""
        if self.server is None or self.server.poll() is not None:
            self.start()

    def _environ(self, epmd_port, peers_port):
        return {
            "PATH": f"{os.defpath}:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),  # where its cookie is
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
            # With this it replaces the shell that starts it, so that a signal for our child is one for RabbitMQ.
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
                return connection.recv(1) == b"\x01"  # the frame of its greeting
        except OSError:
            return False


class Given:
    """Somebody else's RabbitMQ, never to be killed."""

    def __init__(self, url):
        self.url = url

    def heal(self):
        pass


@contextmanager
def taking_turns(broker):
    """What we declare always has the same names, so only one process may be at a broker that is given."""
    if isinstance(broker, Given):
        with open(f"{os.environ[LOCK]}.amqp", "a") as file:  # noqa: PTH123 its path is a text
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    else:
        yield


def forget(url):
    """Deletes all that the site declares."""
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        for queue in ("frontdoor.mail", "frontdoor.mail.dead"):
            channel.queue_delete(queue)
        channel.exchange_delete("frontdoor.events")
