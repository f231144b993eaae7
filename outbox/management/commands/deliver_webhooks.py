"""manage.py deliver_webhooks"""

from kit.commands import worker
from outbox.webhooks.deliver import Deliverer, deliver_due


class Command(worker.Command):
    help = "Tells webhooks of events until it is told to stop; run as many as you like."
    once = "tell them of what is due, and stop"
    worker = Deliverer

    def work_once(self) -> None:
        deliver_due()
