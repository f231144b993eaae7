"""Who you are."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts.privacy import erase  # noqa: PLC0415 models can be imported only now
        from accounts.session import sessions  # noqa: PLC0415 models can be imported only now

        sessions.hear_sign_ins()
        erase.hear_deletions()
