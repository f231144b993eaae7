"""The Django app of the room, and what it hands to the rooms below when a process starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SsoConfig(AppConfig):
    name = "sso"
    verbose_name = _("Apps")
