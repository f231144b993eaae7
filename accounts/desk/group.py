"""Groups of people at the desk."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.desk.rights import GroupForm
from kit.long_list import LongList

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(LongList):
    """The list of groups, and the form of one.

    Only superusers add, change and delete groups: whoever may do that can give themselves every permission.
    """

    form = GroupForm
    fields = ("name", "rights")
    ordering = ("-id",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Stores the rights of the group, after its name."""
        super().save_related(request, form, formsets, change)
        form.save_rights()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    has_delete_permission = has_change_permission
