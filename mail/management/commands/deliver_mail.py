"""manage.py deliver_mail"""

import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from mail.deliver import Deliverer, deliver_due
from mail.working import keep_working, patient_connection, told_to

IDLE = 0.5  # seconds between two looks at an empty outbox


class Command(BaseCommand):
    help = (
        "Delivers the mail in the outbox until it is told to stop; run as many as you like. With AMQP_URL it delivers "
        "what relay_mail publishes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due, without a broker, and stop")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        if once:
            deliver_due()
        else:
            stop = threading.Event()
            with told_to(stop), patient_connection():
                keep_working(lambda: deliver(stop), stop)


def deliver(stop: threading.Event) -> None:
    """Looks into the outbox again and again. Raises DatabaseError."""
    with Deliverer() as deliverer:
        while not stop.is_set():
            if not deliverer.next():
                deliverer.rest()
                close_old_connections()
                stop.wait(IDLE)
