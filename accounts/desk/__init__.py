"""The desk of people and of their security history."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

from accounts.desk.history import HistoryAdmin
from accounts.desk.person import PersonAdmin

__all__ = ["HistoryAdmin", "PersonAdmin"]

# A person has exactly one address, kept by the pages that prove it; what else opens an account nobody may read here.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
