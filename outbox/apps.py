"""The Django app of this room: outgoing mail, events and webhooks, and the mail that comes back."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "outbox"
    verbose_name = _("Mail")
