"""manage.py relay_mail"""

import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kit.commands import prompts
from kit.worker_loop import keep_working, patient_connection, told_to


class Command(BaseCommand):
    help = (
        "Publishes to RabbitMQ what waits in the outbox, mail for deliver_mail and events for other services, until it "
        "is told to stop; run as many as you like. Needs AMQP_URL."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="publish what is due and stop")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        if not settings.AMQP_URL:
            raise CommandError("There is no AMQP_URL, so deliver_mail delivers without a relay.", returncode=2)
        if once:
            with prompts.database():
                relay_once()
        else:
            relay()


def relay() -> None:
    from outbox.broker import amqp, relay  # noqa: PLC0415 - its library is only for those who have a broker

    stop = threading.Event()
    with told_to(stop), patient_connection():
        keep_working(relay.rounds, stop, amqp.Away)


def relay_once() -> None:
    from outbox.broker import amqp, relay  # noqa: PLC0415

    try:
        for busy in relay.rounds():
            if not busy:
                return
    except amqp.Away as error:
        said = f"The broker cannot be used; all that it has not taken waits. {str(error) or repr(error)}"
        raise CommandError(said, returncode=prompts.AWAY) from None
