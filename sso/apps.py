"""The Django app of the room, and what it hands to the rooms below when a process starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SsoConfig(AppConfig):
    name = "sso"
    verbose_name = _("Apps")

    def ready(self) -> None:
        """Ends the logins of apps with the sessions they came from, has apps told of it, and shows people their apps.

        Called once at start.
        """
        from accounts.models import ended_sessions, read_along  # noqa: PLC0415 models can be imported only now
        from accounts.privacy import export  # noqa: PLC0415
        from accounts.profile import sections  # noqa: PLC0415
        from outbox.webhooks import alongside  # noqa: PLC0415
        from sso import any_app, privacy  # noqa: PLC0415
        from sso.back_channel.caller import Caller  # noqa: PLC0415
        from sso.connected import section  # noqa: PLC0415
        from sso.models import ending  # noqa: PLC0415

        read_along.add(any_app.NAME, any_app.fact())
        ended_sessions.add(ending.end_with_sessions)
        alongside.add_worker(Caller)
        sections.add(section.section)
        export.add_part("app_consents", privacy.consents)
        export.add_part("app_logins", privacy.logins)
        export.add_part("app_requests", privacy.requests)
