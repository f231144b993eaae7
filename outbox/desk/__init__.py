"""Admin pages for outgoing mail, suppressed addresses and webhooks."""

from outbox.desk.message import OutboxAdmin
from outbox.desk.suppression import SuppressionAdmin
from outbox.desk.webhook import WebhookAdmin

__all__ = ["OutboxAdmin", "SuppressionAdmin", "WebhookAdmin"]
