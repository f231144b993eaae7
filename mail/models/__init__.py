"""Mail that waits, events for other services that wait, webhooks, and addresses that no mail goes to."""

from mail.models.delivery import WebhookDelivery
from mail.models.event import OutboxEvent
from mail.models.message import OutboxMessage
from mail.models.suppression import Suppression
from mail.models.webhook import Webhook

__all__ = ["OutboxEvent", "OutboxMessage", "Suppression", "Webhook", "WebhookDelivery"]
