"""The cost of a request, beside the floor of this stack: `make bench`. On loopback, with servers of its own.

One gunicorn as in production, with one process. One visitor asks, in batches that take turns, so that whatever else
the machine does troubles all alike. Each request comes from an address of its own: all limits count, none is reached.
"""

import argparse
import http.client
import os
import pstats
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from embedded import children
from embedded.folders import BASE_DIR
from embedded.servers import free_port
from tests.bench import beside
from tests.bench.site import say, site

HOST = "frontdoor.example"
ROUNDS = 12
FLOORS = 2  # the first workloads, with which the others are compared
SERVER = ("-m", "gunicorn", "-c", "config/gunicorn.py", "tests.bench.floor")
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def main():
    options = arguments()
    environ = {"SITE_URL": f"https://{HOST}", "TRUSTED_PROXY_COUNT": "1", "WEB_CONCURRENCY": "1"}
    with site(durable=True, **environ) as (folder, _stack):
        os.environ["STATIC_ROOT"] = f"{folder}/static"
        manage("collectstatic", "--noinput", "--verbosity", "0")
        if options.profile:
            os.environ |= {"BENCH_PROFILE": f"{folder}/profile", "WEB_THREADS": "1"}
        with closing(Server(folder)) as server:
            bench = Bench(server, options)
            bench.profile() if options.profile else bench.compare()


def arguments():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", action="append", help="workloads with this in their name; may be given several times")
    parser.add_argument(
        "--profile", action="store_true", help="show where the time of each workload goes, and no table"
    )
    return parser.parse_args()


def manage(*command):
    subprocess.run([sys.executable, "manage.py", *command], cwd=BASE_DIR, check=True)


class Server:
    """The web server, from its start until close()."""

    def __init__(self, folder):
        self.port = free_port()
        environ = os.environ | {"BIND": f"127.0.0.1:{self.port}"}
        self.log = (folder / "web.log").open("wb")
        self.process = children.start(
            [sys.executable, *SERVER], cwd=BASE_DIR, env=environ, stdout=self.log, stderr=self.log
        )

    def close(self):
        children.stop(self.process)
        self.log.close()

    def await_answer(self):
        while True:
            with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 1)):
                return
            if self.process.poll() is not None:
                sys.exit(Path(self.log.name).read_text())
            time.sleep(0.05)

    @property
    def processes(self):
        return [self.process.pid, *offspring(self.process.pid)]


def offspring(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def spent(processes):
    """Returns the CPU milliseconds of each process so far, from its clock (clock_getcpuclockid(3)).

    /proc counts in hundredths of a second only.
    """
    clocks = {}
    for pid in processes:
        with suppress(OSError):  # this process has ended
            clocks[pid] = time.clock_gettime(~pid << 3 | 2) * 1000
    return clocks


def difference(before, after):
    return sum(after[pid] - before[pid] for pid in before.keys() & after.keys())


class Batch(NamedTuple):
    """The cost of a batch of requests; `web` and `database` are CPU milliseconds for each, of server and PostgreSQL."""

    web: float
    database: float
    waits: list[float]  # in milliseconds
    counts: list[tuple[int, ...]]  # statements, checks of the connection, round trips to Redis


class Visitor:
    """A client that sends one request after the other over one connection, as a proxy would.

    Clients that ask at the same time have a `place` each, and with it addresses of their own.
    """

    def __init__(self, port, place=0):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.addresses = (f"{10 + place}.{a}.{b}.{c}" for a in range(256) for b in range(256) for c in range(1, 255))

    def ask(self, request):
        """Sends a request; returns the milliseconds its answer took, and the server's counts. Exits if it is wrong."""
        started = time.perf_counter()
        answer, body = self.send(request)
        took = (time.perf_counter() - started) * 1000
        if answer.status != request.status or not answer.headers.get("Location", "").startswith(request.leads_to):
            sys.exit(f"{request.path} answered {answer.status}: {body.decode()[:2000]}")
        return took, tuple(map(int, answer.headers["X-Bench-Counts"].split()))

    def send(self, request):
        """Sends a request; returns the answer and its body."""
        self.connection.request(request.method, request.path, request.body, self.headers(request))
        answer = self.connection.getresponse()
        return answer, answer.read()

    def headers(self, request):
        return {
            "Host": HOST,
            "Origin": f"https://{HOST}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": next(self.addresses),
            "User-Agent": AGENT,
            "Accept-Language": "en",
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": request.cookie,
            "X-Bench-Hash": "cheap" if request.cheap else "",
            **request.headers,
        }


class Bench:
    def __init__(self, server, options):
        from tests.bench.app_visits import app_workloads  # noqa: PLC0415 once Django is set up
        from tests.bench.visits import workloads  # noqa: PLC0415

        self.server, self.options = server, options
        server.await_answer()
        self.visitor = Visitor(server.port)
        only = options.only or [""]
        self.workloads = [*workloads(), *app_workloads()]
        self.workloads[FLOORS:] = [one for one in self.workloads[FLOORS:] if any(part in one.name for part in only)]

    def compare(self):
        """Prints a line for each workload, once all rounds are over."""
        started = time.monotonic()
        rounds = [self.round() for _ in range(self.options.rounds + 1)][1:]  # the first opens connections and templates
        say(HEAD)
        for workload in self.workloads:
            say(line(workload, rounds))
        say(f"{len(rounds)} rounds in {time.monotonic() - started:.0f} s")
        beside.table(partial(Visitor, self.server.port), {one.name: one for one in self.workloads})

    def round(self):
        return {workload.name: self.batch(workload) for workload in self.workloads}

    def batch(self, workload):
        requests = workload.make(workload.batch)
        web, database = self.server.processes, database_processes()
        before = spent(web), spent(database)
        with closing(self.visitor.connection):  # it opens again by itself
            answers = [self.visitor.ask(request) for request in requests]
        spans = [difference(*pair) / len(requests) for pair in zip(before, (spent(web), spent(database)), strict=True)]
        waits, counts = zip(*answers, strict=True)
        return Batch(*spans, waits, counts)

    def profile(self):
        """Prints where each workload spends its time; cProfile itself makes small functions look dear."""
        from tests.bench.visits import Request, Workload, same  # noqa: PLC0415

        for workload in self.workloads[FLOORS:]:
            for _warm_then_measured in range(2):
                self.batch(workload)
                self.batch(Workload("", 1, same(Request("/floor/profile"))))
            say(f"\n{workload.name}: {workload.batch} requests")
            pstats.Stats(os.environ["BENCH_PROFILE"]).strip_dirs().sort_stats("cumulative").print_stats(60)


def database_processes():
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return [pid for (pid,) in cursor.fetchall()]


WIDTHS = "{:34} {:>8} {:>11} {:>6} {:>7} {:>4} {:>6} {:>8} {:>8}"
HEAD = WIDTHS.format("", "CPU ms", "floor", "goal", "PG ms", "SQL", "Redis", "p50 ms", "p99 ms")


def line(workload, rounds):
    """Returns the table's line for a workload: medians over all rounds, each compared with the floor of its round."""
    own = [round_[workload.name] for round_ in rounds]
    web, database = (median(getattr(batch, name) for batch in own) for name in ("web", "database"))
    times = median(round_[workload.name].web / round_[workload.floor].web for round_ in rounds)
    waits = sorted(wait for batch in own for wait in batch.waits)
    counted = zip(*(counts for batch in own for counts in batch.counts), strict=True)
    sql, _checks, redis = (f"{median(counts):.0f}" for counts in counted)
    p50, p99 = (f"{waits[int(len(waits) * part)]:.2f}" for part in (0.5, 0.99))
    ours = f"{web:.2f}", f"{times:.1f} x {workload.floor}", workload.goal or "", f"{database:.2f}", sql, redis, p50, p99
    return WIDTHS.format(workload.name, *ours)


if __name__ == "__main__":
    main()
