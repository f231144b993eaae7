"""Sudden death at a named step of a delivery, put around the real code from outside."""

import os
from itertools import count

from django.db.backends.base.base import BaseDatabaseWrapper

from outbox.broker.amqp import Broker
from outbox.mail.deliver import Deliverer
from outbox.mail.smtp import Smtp, SmtpBackend
from outbox.models import OutboxMessage

DIED = 137  # as a shell says of who was killed with -9
BEFORE, AFTER = True, False

# What a worker goes through for each mail, and what for each that the broker named.
DELIVERY = {
    "before lock": (Deliverer, "_try", BEFORE),
    "locked": (Deliverer, "deliver", BEFORE),
    "connected": (SmtpBackend, "open", AFTER),
    "accepted": (Smtp, "data", AFTER),
    "marked": (OutboxMessage, "mark_sent", AFTER),
    "before commit": (BaseDatabaseWrapper, "_commit", BEFORE),
    "committed": (BaseDatabaseWrapper, "_commit", AFTER),
}
CONSUMPTION = DELIVERY | {"before ack": (Broker, "accept", BEFORE), "after ack": (Broker, "accept", AFTER)}
# What a relay goes through.
PUBLICATION = {
    "before publish": (Broker, "publish_mail", BEFORE),
    "after publish": (Broker, "publish_mail", AFTER),
    "before the commit of a relay": (BaseDatabaseWrapper, "_commit", BEFORE),
    "after the commit of a relay": (BaseDatabaseWrapper, "_commit", AFTER),
}
STEPS = CONSUMPTION | PUBLICATION
# The server has the mail, and we do not know it for good.
MAY_REPEAT = {"accepted", "marked", "before commit"}


def at(step, nth):
    """From now on this process dies when it comes to a step for the nth time."""
    owner, name, moment = STEPS[step]
    original, passes = getattr(owner, name), count(1)

    def deadly(*args, **kwargs):
        dies = next(passes) == nth
        if dies and moment is BEFORE:
            os._exit(DIED)
        outcome = original(*args, **kwargs)
        if dies:
            os._exit(DIED)
        return outcome

    setattr(owner, name, deadly)
