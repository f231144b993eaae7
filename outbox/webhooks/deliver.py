"""Telling webhooks: lock a row, call, mark it, commit.

A crash at any point rolls back, and the row is ready again at once. Only between the receiver's 2xx and our commit can
an event be told twice, and then under the same id.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Exists, OuterRef
from django.utils.encoding import punycode

from kit.worker_loop import Worker
from outbox.mail.deliver import put_off
from outbox.models import Webhook, WebhookDelivery
from outbox.models.webhook import PAUSE
from outbox.webhooks import sending, signing
from outbox.webhooks.sending import Answer

log = logging.getLogger("frontdoor.mail")

GONE = 410  # the receiver wants no more

SLOW = timedelta(seconds=1)  # an answer that takes longer
REST = 4  # times as long as its answer took a slow receiver is left alone, so that others need not wait for it


class Deliverer(Worker):
    """Goes round the webhooks that something is due to, and tells each of one event in its turn."""

    def __init__(self) -> None:
        self.round: list[Webhook] = []

    def next(self) -> bool:
        """Tries one delivery. False when none is due that nobody else is at."""
        return any(map(call, self._in_turn()))

    def rest(self) -> None:
        self.round = []

    def _in_turn(self) -> Iterator[Webhook]:
        """The rest of this round, and then a whole one."""
        while self.round:
            yield self.round.pop()
        due = WebhookDelivery.objects.due().filter(webhook=OuterRef("pk"))
        self.round = list(Webhook.objects.awake().filter(Exists(due)).order_by("-id"))
        while self.round:
            yield self.round.pop()


def call(webhook: Webhook) -> bool:
    """Tells it of the one event that has waited longest. False when there is none, or it is not to be called now."""
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
    """Tells of a locked row, and keeps what came of it."""
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
    """Raises OSError, HTTPException, targets.Unfit or encryption.Unreadable."""
    body = row.as_json()
    about = {"Content-Type": "application/json", "User-Agent": f"frontdoor ({punycode(str(settings.SITE_HOST))})"}
    signed = signing.headers(row.message_id, int(time.time()), body, row.webhook.secrets)
    return sending.post(row.webhook.url, body, about | signed)


def _failed(row: WebhookDelivery, answer: Answer) -> None:
    if answer.status == GONE:
        row.give_up(answer.said)
        row.webhook.turn_off()
        log.warning("webhook %s turned off: its receiver says it is gone", row.webhook)
        return
    row.mark_failed(answer.said)


def _rest(webhook: Webhook, answer: Answer, took: timedelta) -> None:
    """Leaves a webhook alone for a while whose server is away or slow."""
    if not answer.is_good and answer.is_about_the_server:
        webhook.pause(max(PAUSE, took * REST))
    elif took > SLOW:
        webhook.pause(took * REST)
    else:
        webhook.resume()


def deliver_due() -> None:
    """Tries all that is due now. Raises DatabaseError."""
    Deliverer().finish()
