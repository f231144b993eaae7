"""Groups of people at the desk."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangosGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from kit.long_list import LongList

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(LongList, DjangosGroupAdmin):
    """The list of groups and the form of one: Django's, but its URL accepts nothing that the list does not offer.

    Only superusers add, change and delete groups: whoever may do that can give themselves every permission.
    """

    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    has_delete_permission = has_change_permission
