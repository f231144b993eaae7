"""Kills a process at a named step of a delivery, by wrapping the real code from outside."""

import os
from itertools import count

from django.db.backends.base.base import BaseDatabaseWrapper

from outbox.broker.amqp import Broker
from outbox.mail.deliver import Deliverer
from outbox.mail.smtp import Smtp, SmtpBackend
from outbox.models import OutboxMessage

DIED = 137  # the exit code that a shell reports after kill -9
BEFORE, AFTER = True, False

# The steps of a worker for each mail, and for each mail that the broker named.
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
# The steps of a relay for each mail.
PUBLICATION = {
    "before publish": (Broker, "publish_mail", BEFORE),
    "after publish": (Broker, "publish_mail", AFTER),
    "before the commit of a relay": (BaseDatabaseWrapper, "_commit", BEFORE),
    "after the commit of a relay": (BaseDatabaseWrapper, "_commit", AFTER),
}
STEPS = CONSUMPTION | PUBLICATION
# At these steps the server has the mail, but the row does not say so after a crash.
MAY_REPEAT = {"accepted", "marked", "before commit"}


def at(step, nth):
    """Makes this process die when it comes to `step`, a key of STEPS, for the nth time."""
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
