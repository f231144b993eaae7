"""Groups of people at the desk."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangosGroupAdmin
from django.contrib.auth.models import Group

from kit.long_list import LongList

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(LongList, DjangosGroupAdmin):
    """The list of groups and the form of one: Django's, but its URL accepts nothing that the list does not offer."""

    ordering = ("-id",)
