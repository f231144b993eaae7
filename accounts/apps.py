"""Who you are."""

from django.apps import AppConfig
from django.contrib.auth import user_logged_in
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts.privacy import erase  # noqa: PLC0415 models can be imported only now
        from accounts.session import sessions  # noqa: PLC0415 models can be imported only now

        # Django's would write it once more, in a statement of its own: accounts.session.sessions does.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(sessions.stamp_other_logins, sender=self.get_model("User"))
        erase.hear_deletions()
