"""Mail that waits, events for other services that wait, and addresses that no mail goes to."""

from mail.models.event import OutboxEvent
from mail.models.message import OutboxMessage
from mail.models.suppression import Suppression

__all__ = ["OutboxEvent", "OutboxMessage", "Suppression"]
