"""manage.py deliver_webhooks"""

from kit.commands import worker
from outbox.webhooks.deliver import Deliverer, deliver_due


class Command(worker.Command):
    help = "Sends events to webhooks until it is told to stop; run as many as you like."
    once = "send the events that are due, and stop"
    worker = Deliverer

    def work_once(self) -> None:
        deliver_due()
