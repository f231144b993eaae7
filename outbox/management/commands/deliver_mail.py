"""manage.py deliver_mail"""

import threading

from django.conf import settings

from kit.commands import worker
from kit.worker_loop import keep_working
from outbox.mail.deliver import Deliverer, deliver_due


class Command(worker.Command):
    help = (
        "Delivers the mail in the outbox until it is told to stop; run as many as you like. With AMQP_URL it delivers "
        "the mail that relay_mail publishes."
    )
    once = "deliver what is due, without a broker, and stop"
    worker = Deliverer

    def work(self, stop: threading.Event) -> None:
        if settings.AMQP_URL:
            consume(stop)
        else:
            super().work(stop)

    def work_once(self) -> None:
        deliver_due()


def consume(stop: threading.Event) -> None:
    """Delivers the mail that the broker names until `stop` is set; waits while the broker or the database is away.

    Raises SystemExit if AMQP_URL is invalid.
    """
    from outbox.broker import amqp, consumer  # noqa: PLC0415 - only a site with a broker needs its library

    keep_working(consumer.rounds, stop, amqp.Away)
