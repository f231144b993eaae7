"""Telling webhooks of events: lock a row, call the receiver, mark the row, commit.

A crash at any point rolls back, and the row is ready again at once. Only between the receiver's 2xx and our commit can
an event be told twice, and then under the same id.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Exists, OuterRef

from kit.worker_loop import Worker
from outbox.mail.deliver import put_off
from outbox.models import Webhook, WebhookDelivery
from outbox.models.webhook import PAUSE
from outbox.webhooks import sending, signing
from outbox.webhooks.sending import Answer

log = logging.getLogger("frontdoor.mail")

GONE = 410  # the status by which a receiver says that it wants no more events

SLOW = timedelta(seconds=1)  # an answer that takes longer is slow
REST = 4  # times as long as its answer took, a slow receiver is left alone, so that others need not wait for it


class Deliverer(Worker):
    """A worker that goes round the webhooks with events due, and tells each of one event in its turn."""

    def __init__(self) -> None:
        self.round: list[Webhook] = []

    def next(self) -> bool:
        """Tries one delivery. Returns False if none is due, or other workers have locked all.

        Raises DatabaseError or InterfaceError if the database fails.
        """
        return any(map(call, self._in_turn()))

    def rest(self) -> None:
        """Ends the round: the next one begins with the webhooks that have events due by then."""
        self.round = []

    def _in_turn(self) -> Iterator[Webhook]:
        """Yields the webhooks that are left of this round, then all of a new round."""
        while self.round:
            yield self.round.pop()
        due = WebhookDelivery.objects.due().filter(webhook=OuterRef("pk"))
        self.round = list(Webhook.objects.awake().filter(Exists(due)).order_by("-id"))
        while self.round:
            yield self.round.pop()


def call(webhook: Webhook) -> bool:
    """Tells a webhook of the event that has been due longest, and saves the result, in a transaction of its own.

    Returns False if no event is due, other workers have locked all, or the webhook may not be called now. Raises
    DatabaseError or InterfaceError if the database fails; the try then counts as failed, if that can be saved.
    """
    if not webhook.is_mine_to_call():
        return False
    due = WebhookDelivery.objects.due().filter(webhook=webhook, webhook__is_active=True).select_related("webhook")
    row = None
    try:
        with transaction.atomic():
            row = due.select_for_update(skip_locked=True, of=("self",)).first()
            if row is not None:
                deliver(row)
    except (DatabaseError, InterfaceError):
        if row is not None:
            put_off(WebhookDelivery.objects.waiting().filter(pk=row.pk))
        raise
    return row is not None


def deliver(row: WebhookDelivery) -> None:
    """Sends the event of a locked row to its webhook, and saves the result: delivered, failed, or given up.

    Pauses a webhook whose server is away or slow, ends the pause of any other, and turns off one whose receiver is
    gone. Raises DatabaseError or InterfaceError if the database fails.
    """
    started = time.monotonic()
    try:
        answer = tell(row)
    except Exception as error:  # noqa: BLE001 whatever is wrong with one webhook, the others must go on
        answer = Answer(0, f"{type(error).__name__}: {error}")
    if answer.is_good:
        row.mark_delivered(answer.said)
    else:
        _failed(row, answer)
    _rest(row.webhook, answer, timedelta(seconds=time.monotonic() - started))
    log.info("event %s for %s: %s, try %s: %s", row.message_id, row.webhook, row.status, row.attempts, row.last_answer)


def tell(row: WebhookDelivery) -> Answer:
    """Posts the signed event of a row to its webhook, and returns the answer.

    Raises OSError or HTTPException if no valid answer comes in time, targets.Unfit if the URL must not be called, and
    encryption.Unreadable if no key decrypts the webhook's secret.
    """
    body = row.as_json()
    signed = signing.headers(row.message_id, int(time.time()), body, row.webhook.secrets)
    return sending.post(row.webhook.url, body, {"Content-Type": "application/json"} | signed)


def _failed(row: WebhookDelivery, answer: Answer) -> None:
    if answer.status == GONE:
        row.give_up(answer.said)
        row.webhook.turn_off()
        log.warning("webhook %s turned off: its receiver says it is gone", row.webhook)
        return
    row.mark_failed(answer.said, answer.retry_after)


def _rest(webhook: Webhook, answer: Answer, took: timedelta) -> None:
    """Pauses a webhook whose server is away or slow, and ends the pause of any other. `took`: the time of the call.

    A server that asks for a longer pause gets it: an event that is refused with 429 would only be one of many.
    """
    if not answer.is_good and answer.is_about_the_server:
        webhook.pause(max(PAUSE, took * REST, answer.retry_after))
    elif took > SLOW:
        webhook.pause(took * REST)
    else:
        webhook.resume()


def deliver_due() -> None:
    """Tries deliveries to webhooks until none is due. Raises DatabaseError or InterfaceError if the database fails."""
    Deliverer().finish()
