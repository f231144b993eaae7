"""Mail that waits, events for other services that wait, webhooks, and addresses that no mail goes to."""

from outbox.models.delivery import WebhookDelivery
from outbox.models.event import OutboxEvent, Told, told
from outbox.models.message import OutboxMessage
from outbox.models.suppression import Suppression
from outbox.models.webhook import Webhook

__all__ = ["OutboxEvent", "OutboxMessage", "Suppression", "Told", "Webhook", "WebhookDelivery", "told"]
