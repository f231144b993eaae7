"""The rows of the outbox: mail, events for other services, webhooks and their deliveries, suppressed addresses."""

from outbox.models.delivery import WebhookDelivery
from outbox.models.event import NewEvent, OutboxEvent, new_event
from outbox.models.message import OutboxMessage, when_undelivered
from outbox.models.suppression import Suppression
from outbox.models.webhook import Webhook

__all__ = [
    "NewEvent",
    "OutboxEvent",
    "OutboxMessage",
    "Suppression",
    "Webhook",
    "WebhookDelivery",
    "new_event",
    "when_undelivered",
]
