"""manage.py deliver_webhooks"""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from kit.commands import worker
from kit.worker_loop import Worker, keep_working, look
from outbox.webhooks.alongside import WORKERS
from outbox.webhooks.deliver import Deliverer, deliver_due


class Command(worker.Command):
    help = (
        "Sends events to webhooks, and tells apps that somebody has signed out, until it is told to stop; run as many "
        "as you like."
    )
    once = "send what is due, and stop"
    worker = Deliverer

    def work(self, stop: threading.Event) -> None:
        with ThreadPoolExecutor(max(1, len(WORKERS))) as pool:
            try:
                others = [pool.submit(work_alongside, each, stop) for each in WORKERS]
                super().work(stop)
            finally:
                stop.set()
        for other in others:
            other.result()

    def work_once(self) -> None:
        deliver_due()
        for each in WORKERS:
            each().finish()


def work_alongside(other: type[Worker], stop: threading.Event) -> None:
    """Has such workers do tasks until `stop` is set. Whatever goes wrong with them stops the whole process."""
    try:
        keep_working(lambda: look(other(), stop), stop)
    finally:
        stop.set()
        connection.close()
