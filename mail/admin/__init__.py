"""The desk of mail, and of what other services are told."""

from mail.admin.message import OutboxAdmin
from mail.admin.suppression import SuppressionAdmin
from mail.admin.webhook import WebhookAdmin

__all__ = ["OutboxAdmin", "SuppressionAdmin", "WebhookAdmin"]
