"""The Django app of accounts, and what it connects when a process starts."""

from django.apps import AppConfig
from django.contrib.auth import user_logged_in
from django.utils.translation import gettext_lazy as _

from outbox import spared


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Connects what must happen at every sign-in, and when an account is deleted, to Django's signals.

        Ends the process if the template TERMS_CHANGES, or the form PROFILE_FORM, can't be read. Also spares the
        addresses of accounts: one report of a mail server must not shut their owners out.
        """
        from accounts import profile_fields, terms  # noqa: PLC0415 models can be imported only now
        from accounts.privacy import erase  # noqa: PLC0415 models can be imported only now
        from accounts.session import sessions  # noqa: PLC0415 models can be imported only now

        # accounts.session.sessions writes last_login: Django's receiver would write it again, in its own statement. It
        # stands down where another has its id, and is connected later: this app comes before django.contrib.auth.
        user_logged_in.connect(sessions.stamp_other_logins, dispatch_uid="update_last_login")
        erase.hear_deletions()
        terms.check_changes()
        profile_fields.check_form()
        spared.add_rule(self.has_account)

    def has_account(self, email: str) -> bool:
        """Returns whether an account has this address; it may be turned off."""
        from accounts.models import User  # noqa: PLC0415 models can be imported only now

        return User.objects.filter(email=email.lower()).exists()
