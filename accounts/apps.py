"""The Django app of accounts, and what it connects when a process starts."""

from django.apps import AppConfig
from django.contrib.auth import user_logged_in
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Connects what must happen at every sign-in, and when an account is deleted, to Django's signals."""
        from accounts.privacy import erase  # noqa: PLC0415 models can be imported only now
        from accounts.session import sessions  # noqa: PLC0415 models can be imported only now

        # accounts.session.sessions writes last_login: Django's receiver would write it again, in its own statement.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(sessions.stamp_other_logins, sender=self.get_model("User"))
        erase.hear_deletions()
