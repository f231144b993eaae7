"""Mail under kill -9, and how fast it leaves: `make bench-mail`. On loopback, with servers of its own that it stops.

Ends with 1 if a mail was lost, or if two copies of one differ.
"""

import argparse
import json
import math
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import NamedTuple

from embedded import children
from embedded.folders import BASE_DIR
from tests.bench.site import say, site
from tests.tools.broker import Broker, program
from tests.tools.sink import FileSink, Outcome
from tests.tools.workers import kill_while_working, nursery

STALLED = 120  # seconds without a delivery, after which the benchmark gives up
DELAY = 0.02  # seconds at most, before and after a mail reaches the disk: a kill in them makes a duplicate
BROKER_KILLS = 5
WIPED, FAST, MANY = 200, 3000, 50_000  # mails
MEASURED = {0.1: 60, 0.5: 240, 1: 300}  # memory is read after this part of MANY, or after so many seconds
SECTIONS = ("kills", "wipe", "throughput", "memory")


class Way(NamedTuple):
    """A way for mail to go: the commands that run, and the broker if there is one."""

    name: str
    commands: tuple[str, ...]
    broker: Broker | None = None


def main():
    options = arguments()
    with site(durable=True) as (folder, stack):
        bench = Bench(folder, list(ways(stack, folder)))
        good = [getattr(bench, section)(options) for section in options.only or SECTIONS]
    sys.exit(0 if all(good) else 1)


def arguments():
    parser = argparse.ArgumentParser(prog="make bench-mail", description=__doc__.partition("\n")[0])
    parser.add_argument("--mails", type=int, default=2000, help="under kills")
    parser.add_argument("--kills", type=int, default=100, help="of workers; of the broker there are five")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="may be given several times")
    return parser.parse_args()


def ways(stack, folder):
    yield Way("database", ("deliver_mail",) * 2)
    if program():
        broker = stack.enter_context(Broker(folder))
        yield Way("RabbitMQ", ("relay_mail",) * 2 + ("deliver_mail",) * 2, broker)
    else:
        say("rabbitmq-server is not installed, so there is nothing to say of that way.")


class Bench:
    """The sections of this benchmark. Each prints its figures, and returns whether all are good."""

    def __init__(self, folder, ways):
        self.folder, self.ways, self.taken = folder, ways, folder / "taken"

    def kills(self, options):
        good = [self.kill(way, options.mails, options.kills) for way in self.ways]
        return all(good)

    def kill(self, way, mails, kills):
        """Kills workers and broker at random moments of a delivery; returns whether no mail was lost or altered."""
        recipients, killed = store(mails), 0
        with self.at_work(way, ["--file", self.taken, "--delay", DELAY]) as workers, Stopwatch() as watch:
            for kill in kill_while_working(workers, way.commands, kills, lambda part: reach(part * mails)):
                if way.broker and kill * BROKER_KILLS // kills > killed:
                    killed += 1
                    way.broker.kill()
                    way.broker.start()
        brokers = f" and {killed} of the broker" if way.broker else ""
        return self.judge(f"{way.name}: {mails} mails, {kills} kills of workers{brokers}", recipients, watch)

    def wipe(self, options):
        """Publishes all mail, wipes the broker's disk, and delivers; returns whether no mail was lost or altered."""
        good = [self.wipe_disk(way) for way in self.ways if way.broker]
        return all(good)

    def wipe_disk(self, way):
        recipients = store(WIPED)
        with self.at_work(way, ["--file", self.taken]) as workers:
            workers.start("relay_mail")
            wait(lambda: outbox().filter(published_at=None).count())
            workers.end()
            way.broker.kill()
            way.broker.wipe()
            way.broker.start()
            with Stopwatch() as watch:
                for command in way.commands:
                    workers.start(command)
                reach(WIPED)
        return self.judge(f"{way.name}: {WIPED} mails published, then its disk wiped", recipients, watch)

    def judge(self, name, recipients, watch):
        outcome = Outcome.of(FileSink(self.taken).on_disk(), recipients)
        say(f"{name}: {outcome.lost} lost, {outcome.repeated} twice, {outcome.altered} altered, {watch.seconds:.0f} s")
        return not outcome.lost and not outcome.altered

    def throughput(self, options):
        for way in self.ways:
            self.hurry(way)
        return True

    def hurry(self, way):
        """Delivers as fast as it can, to a server that keeps nothing, and prints the rate."""
        store(FAST)
        with self.at_work(way) as workers:
            running = [workers.start(command) for command in way.commands]
            reach(1)
            with Stopwatch() as watch:
                reach(FAST)
            for worker in running:
                worker.stop()
        cpu = sum(worker.cpu for worker in running) / FAST * 1000
        said = f"{FAST / watch.seconds:.0f} mails/s, {cpu:.1f} ms of CPU for each in {len(running)} processes"
        say(f"{way.name}: {said} ({', '.join(way.commands)})")

    def memory(self, options):
        """Delivers MANY mails with the same workers, and prints their memory; returns True."""
        store(MANY)
        way, before = self.ways[0], 0
        with self.at_work(way) as workers:
            running = [workers.start(command) for command in way.commands]
            for part, patience in MEASURED.items():
                with Stopwatch() as watch:
                    reach(int(part * MANY), patience)
                sizes = " and ".join(f"{resident(worker.pid):.1f}" for worker in running)
                now = handed_over()
                say(
                    f"{way.name}: after {now} mails {sizes} MiB in memory, {(now - before) / watch.seconds:.0f} mails/s"
                )
                before = now
        return True

    @contextmanager
    def at_work(self, way, taking=()):
        """Gives a nursery of workers, with a mail server that stores mails or drops them, by its options `taking`."""
        self.taken.unlink(missing_ok=True)
        environ = {"AMQP_URL": way.broker.url if way.broker else "", "AMQP_REPUBLISH_SECONDS": "15"}
        with (
            (self.folder / "workers.log").open("ab") as log,
            mail_server(taking) as port,
            nursery(os.environ | environ, log) as workers,
        ):
            workers.deliver_to(port)
            yield workers


class Stopwatch:
    def __enter__(self):
        self.started = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.started


@contextmanager
def mail_server(taking):
    """Runs a mail server (tests.tools.sink) in a process of its own, and gives its port."""
    reader, writer = os.pipe()
    argv = [sys.executable, "-m", "tests.tools.sink", *taking]
    process = children.start(argv, signal.SIGKILL, reader, stdout=subprocess.PIPE, cwd=BASE_DIR)
    os.close(reader)
    with process.stdout:
        yield int(process.stdout.readline())
    os.close(writer)
    process.wait()


def outbox():
    from outbox.models import OutboxMessage  # noqa: PLC0415 it needs the settings

    return OutboxMessage.objects


def store(count):
    """Deletes all mail and stores `count` new ones, each with a link of its own; returns their recipients."""
    from invites.models import MagicLink  # noqa: PLC0415 as above
    from kit.ids import uuid7  # noqa: PLC0415 as above

    outbox().all().delete()
    link = MagicLink.objects.issue("guest@example.com")
    mail = outbox().get()
    parts = json.dumps(mail.parts)
    outbox().all().delete()
    recipients = [f"guest{n}@example.com" for n in range(count)]
    for some in batched(recipients, 1000):
        outbox().bulk_create(
            mail_to(recipient, mail.kind, parts.replace(link.pk.hex, uuid7().hex)) for recipient in some
        )
    return recipients


def mail_to(recipient, kind, parts):
    message_id = f"<{secrets.token_hex(12)}@localhost>"
    return outbox().model(recipient=recipient, kind=kind, message_id=message_id, parts=json.loads(parts))


def handed_over():
    return outbox().exclude(sent_at=None).count()


def reach(mails, patience=math.inf):
    """Waits until so many mails are handed over, but not longer than `patience` seconds."""
    wait(lambda: max(0, mails - handed_over()), patience)


def wait(left, patience=math.inf):
    """Waits until `left` returns 0, up to `patience` seconds. Exits if it does not fall for STALLED seconds."""
    least, started = left(), time.monotonic()
    moved = started
    while least and time.monotonic() < started + patience:
        time.sleep(0.02)
        if (now := left()) < least:
            least, moved = now, time.monotonic()
        if time.monotonic() > moved + STALLED:
            sys.exit(f"{least} mails wait, and nothing has moved for {STALLED} seconds.")


def resident(pid):
    """Returns the resident memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


if __name__ == "__main__":
    main()
