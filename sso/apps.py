"""The Django app of the room, and what it hands to the rooms below when a process starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SsoConfig(AppConfig):
    name = "sso"
    verbose_name = _("Apps")

    def ready(self) -> None:
        """Ends the logins of apps with the sessions they came from, and has apps told of it. Called once at start."""
        from accounts.models import ended_sessions  # noqa: PLC0415 models can be imported only now
        from outbox.webhooks import alongside  # noqa: PLC0415
        from sso.back_channel.caller import Caller  # noqa: PLC0415
        from sso.models import ending  # noqa: PLC0415

        ended_sessions.add(ending.end_with_sessions)
        alongside.add_worker(Caller)
