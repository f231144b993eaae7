"""How long forward-auth takes beside people who sign in: the second table of `make bench`."""

import threading
import time
from contextlib import closing
from http import HTTPStatus
from itertools import count
from statistics import median

from tests.bench.site import say

SECONDS = 6  # each row lasts
PAUSE = 0.02  # seconds between two forward-auth requests
FORWARD, SIGN_IN = "forward-auth, signed in", "sign in, known device, real hash"
CROWDS = (0, 8, 32)
WIDTHS = "{:34} {:>8} {:>8} {:>12} {:>10} {:>10}"


def table(visitor, workloads):
    """Prints the table, if `workloads` has the two that it needs by their names. `visitor` makes a client."""
    if not {FORWARD, SIGN_IN} <= workloads.keys():
        return
    say("\n" + WIDTHS.format(FORWARD, "p50 ms", "p99 ms", "p50 x calm", "sign-ins/s", "503/s"))
    calm = None
    for number in CROWDS:
        with Crowd(visitor, workloads[SIGN_IN], number) as crowd:
            waits = sorted(ask(visitor, workloads[FORWARD]))
        calm = calm or median(waits)
        name = f"beside {number} people who sign in" if number else "calm"
        p50, p99 = median(waits), waits[int(len(waits) * 0.99)]
        rates = (f"{done / SECONDS:.1f}" for done in (crowd.done, crowd.refused))
        say(WIDTHS.format(name, f"{p50:.1f}", f"{p99:.1f}", f"{p50 / calm:.1f}", *rates))


def ask(visitor, workload):
    """Asks for SECONDS; returns how many milliseconds each answer took."""
    (request,) = workload.make(1)
    client, until, waits = visitor(), time.monotonic() + SECONDS, []
    with closing(client.connection):
        while time.monotonic() < until:
            waits.append(client.ask(request)[0])
            time.sleep(PAUSE)
    return waits


class Crowd:
    """So many people who sign in, each again and again, as long as the block lasts; who gets 503 waits as it says."""

    def __init__(self, visitor, workload, number):
        self.visitor, self.over, self.lock = visitor, threading.Event(), threading.Lock()
        self.done = self.refused = 0
        requests = workload.make(number) if number else []
        self.threads = [
            threading.Thread(target=self.come, args=(request, place)) for place, request in zip(count(), requests)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def come(self, request, place):
        client = self.visitor(place)
        with closing(client.connection):
            while not self.over.is_set():
                answer, _body = client.send(request)
                with self.lock:
                    self.done += answer.status == request.status
                    self.refused += answer.status == HTTPStatus.SERVICE_UNAVAILABLE
                if again := answer.headers.get("Retry-After"):
                    client.connection.close()  # the server would, while nobody asks; it opens again by itself
                    self.over.wait(int(again))
