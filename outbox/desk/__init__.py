"""The desk of mail, and of what other services are told."""

from outbox.desk.message import OutboxAdmin
from outbox.desk.suppression import SuppressionAdmin
from outbox.desk.webhook import WebhookAdmin

__all__ = ["OutboxAdmin", "SuppressionAdmin", "WebhookAdmin"]
