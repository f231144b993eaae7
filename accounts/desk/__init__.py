"""The desk's pages of people and of their security history."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

from accounts import power
from accounts.desk import guards
from accounts.desk.group import GroupAdmin
from accounts.desk.history import HistoryAdmin
from accounts.desk.person import PersonAdmin

admin.site.guards += [guards.end_if_idle, guards.ask_what_is_missing, guards.ask_for_proof]  # type: ignore[attr-defined]  # config.admin.Site
admin.site.listeners.append(power.hear)  # type: ignore[attr-defined]

__all__ = ["GroupAdmin", "HistoryAdmin", "PersonAdmin"]

# A person has exactly one address, whose row only user.address may change. The other rows open accounts: nobody at
# the desk may read them.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
