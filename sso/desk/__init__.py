"""Apps at the desk."""

from allauth.idp.oidc.models import Client, Token
from django.contrib import admin

from accounts import desk_offers
from sso.desk.app import AppAdmin
from sso.desk.group import apps_of, names_of_apps

# The engine's own lists show a new secret through a message, which our messages keep in a cookie; and whoever could
# write the rows of tokens could make any.
admin.site.unregister([Client, Token])
desk_offers.add_group_facts(apps_of)
desk_offers.add_users_of_groups(names_of_apps)

__all__ = ["AppAdmin", "apps_of", "names_of_apps"]
