"""manage.py deliver_mail"""

import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from kit.commands import prompts
from kit.worker_loop import keep_working, look, patient_connection, told_to
from outbox.mail.deliver import Deliverer, deliver_due


class Command(BaseCommand):
    help = (
        "Delivers the mail in the outbox until it is told to stop; run as many as you like. With AMQP_URL it delivers "
        "what relay_mail publishes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due, without a broker, and stop")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        if once:
            with prompts.database():
                deliver_due()
            return
        stop = threading.Event()
        with told_to(stop), patient_connection():
            if settings.AMQP_URL:
                consume(stop)
            else:
                keep_working(lambda: look(Deliverer(), stop), stop)


def consume(stop: threading.Event) -> None:
    from outbox.broker import amqp, consumer  # noqa: PLC0415 - its library is only for those who have a broker

    keep_working(consumer.rounds, stop, amqp.Away)
