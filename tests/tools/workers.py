"""Worker processes for tests that kill them. They start at once, forked from one that has imported everything."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from unittest.mock import patch

import django
from django.core.management import call_command, load_command_class

from embedded import children
from embedded.folders import BASE_DIR

SPREAD = 0.05  # seconds within which a kill comes at a random moment; about as long as a mail takes


class Nursery:
    """A process that starts manage.py commands in an environment. No command outlives it."""

    def __init__(self, environ, log=subprocess.DEVNULL):
        self.patched = {}  # values by dotted name, which all workers started from now on use
        self.workers = []
        argv = [sys.executable, "-m", "tests.tools.workers"]
        pipes = {"stdout": subprocess.PIPE, "stderr": log}
        reader, self.orders = os.pipe()
        self.process = children.start(argv, signal.SIGKILL, reader, cwd=BASE_DIR, env=environ, **pipes)
        os.close(reader)

    def start(self, *command, crash=None, **patched):
        """Starts a command, and returns its Worker.

        `crash` is the step where it dies, and at which pass; `patched` holds values for dotted names.
        """
        pid = self.order({"command": command, "crash": crash, "patched": self.patched | patched})
        self.workers.append(Worker(self, pid))
        return self.workers[-1]

    def deliver_to(self, port):
        """Has all workers started from now on deliver to this port on loopback."""
        options = {"host": "127.0.0.1", "port": port, "timeout": 5}
        mailers = {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}}
        self.patched["django.conf.settings.MAILERS"] = mailers

    def end(self):
        """Kills all workers that still run."""
        for worker in list(self.workers):
            worker.kill()

    def order(self, what):
        os.write(self.orders, json.dumps(what).encode() + b"\n")
        return json.loads(self.process.stdout.readline())

    def close(self):
        os.close(self.orders)
        self.process.stdout.close()
        self.process.wait()


class Worker:
    """One running command."""

    def __init__(self, nursery, pid):
        self.nursery, self.pid = nursery, pid

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        """Waits until the worker has ended; returns its exit code, and sets `cpu` to the CPU seconds it took."""
        code, self.cpu = self.nursery.order({"wait": self.pid})
        self.nursery.workers.remove(self)
        return code


def kill_while_working(nursery, commands, kills, progress):
    """Keeps commands running, and kills one of them `kills` times at random moments, while there is work.

    `progress` waits until the given part of the work is done. Yields after each kill.
    """
    running = [nursery.start(command) for command in commands]
    for kill in range(1, kills + 1):
        progress(kill / (kills + 1))
        time.sleep(random.uniform(0, SPREAD))  # noqa: S311
        victim = random.randrange(len(running))  # noqa: S311
        running[victim].kill()
        running[victim] = nursery.start(commands[victim])
        yield kill
    progress(1)


@contextmanager
def nursery(environ, log=subprocess.DEVNULL):
    nursery = Nursery(environ, log)
    try:
        yield nursery
    finally:
        nursery.end()
        nursery.close()


def obey():
    """Obeys the orders on stdin: forks a worker and answers its pid, or waits for one and answers how it ended."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what workers print is for the log
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status, usage = os.wait4(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        else:
            answer = os.fork() or work(**order)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def work(command, crash, patched):
    children.end_with_parent(signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 1
    try:
        for name, value in patched.items():
            patch(name, value).start()
        if crash:
            at(*crash)
        call_command(*command)
        code = 0
    except BaseException:  # noqa: BLE001 it is reported, and no fork must go on as if it were the nursery
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Modules that workers would import late are imported here, once for all.
    from tests.faults.crash import at

    for name in ("deliver_mail", "relay_mail"):
        load_command_class("outbox", name)
    obey()
