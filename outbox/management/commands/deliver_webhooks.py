"""manage.py deliver_webhooks"""

import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from kit.commands import prompts
from kit.worker_loop import keep_working, look, patient_connection, told_to
from outbox.webhooks.deliver import Deliverer, deliver_due


class Command(BaseCommand):
    help = "Tells webhooks of events until it is told to stop; run as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="tell them of what is due, and stop")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        if once:
            with prompts.database():
                deliver_due()
            return
        stop = threading.Event()
        with told_to(stop), patient_connection():
            keep_working(lambda: look(Deliverer(), stop), stop)
