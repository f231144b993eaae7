"""manage.py relay_mail"""

import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from kit.commands import prompts, worker
from kit.worker_loop import keep_working


class Command(worker.Command):
    help = (
        "Publishes what waits in the outbox to RabbitMQ, mail for deliver_mail and events for other services, until it "
        "is told to stop; run as many as you like. Needs AMQP_URL."
    )
    once = "publish what is due and stop"

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AMQP_URL:
            raise CommandError("There is no AMQP_URL, so deliver_mail delivers without a relay.", returncode=2)
        super().handle(*args, **options)

    def work(self, stop: threading.Event) -> None:
        from outbox.broker import amqp, relay  # noqa: PLC0415 - only a site with a broker needs its library

        keep_working(relay.rounds, stop, amqp.Away)

    def work_once(self) -> None:
        """Publishes until nothing waits. Raises CommandError if the broker is away or refuses us.

        Raises SystemExit if AMQP_URL is invalid, and DatabaseError or InterfaceError if the database fails.
        """
        from outbox.broker import amqp, relay  # noqa: PLC0415

        try:
            for busy in relay.rounds():
                if not busy:
                    return
        except amqp.Away as error:
            said = f"The broker cannot be used; all that it has not taken waits. {str(error) or repr(error)}"
            raise CommandError(said, returncode=prompts.AWAY) from None
