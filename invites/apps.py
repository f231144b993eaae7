"""The app of invitations, magic links and sign-up."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvitesConfig(AppConfig):
    name = "invites"
    verbose_name = _("Invitations")

    def ready(self) -> None:
        """Adds invitations and links to the export and the erasing of personal data.

        Hears of lost mail, and of people who leave groups or the site. Called once at start.
        """
        from invites import handover, leaving, privacy, undelivered  # noqa: PLC0415 models can be imported only now

        handover.take_part()
        leaving.take_part()
        privacy.take_part()
        undelivered.take_part()
