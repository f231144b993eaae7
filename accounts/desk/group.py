"""Groups of people at the desk."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from accounts import desk_offers, power
from accounts.desk.rights import GroupForm
from accounts.models import User
from kit.list_filter import COUNTED, capped_in_words
from kit.long_list import LongList

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(LongList):
    """The list of groups, and the form of one.

    Only superusers add, change and delete groups: whoever may do that can give themselves every permission.
    """

    form = GroupForm
    adding = gettext_lazy("New group")
    ordering = ("-id",)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """Returns the fields of the form; a box for a new name if something knows the group by its name."""
        return ("name", "renames", "rights") if obj and desk_offers.users_of(obj) else ("name", "rights")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows the form of a group and how many are in it, with links to them and to the page that invites others.

        Below stands what higher rooms say of it (`desk_offers`).

        POST stores the group and leads to the list. An unknown `object_id` leads to the desk's front page with a
        message. Raises PermissionDenied if the person may not see groups or, for POST, not change them.
        """
        group = self.get_object(request, object_id)
        if group and request.method == "GET":
            members = User.groups.through.objects.filter(group=group)[: COUNTED + 1].count()
            facts = [fact for make in desk_offers.GROUP_FACTS for fact in make(request, group)]
            shown = {"members": members, "members_in_words": capped_in_words(members), "facts": facts}
            kwargs["extra_context"] = shown
        return super().change_view(request, object_id, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Stores the rights of the group, after its name."""
        super().save_related(request, form, formsets, change)
        form.save_rights()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Returns what the page before a deletion shows: the names and number of groups, and missing rights.

        The last value says why they must not be deleted: they have too many members for each to be told. What goes with
        a group is not listed: it may be much.
        """
        chosen = list(objs)
        missing = {str(self.opts.verbose_name)} if not self.has_delete_permission(request) else set()
        found = Group.objects.filter(pk__in=[group.pk for group in chosen])
        kept = [too_many(chosen)] if power.too_many_members(found) else []
        return [group.name for group in chosen], {self.opts.verbose_name_plural: len(chosen)}, missing, kept

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        """Deletes the group, and tells its members."""
        power.dissolve(request, Group.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Deletes these groups, and tells their members."""
        power.dissolve(request, Group.objects.filter(pk__in=queryset.values("pk")))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    has_delete_permission = has_change_permission


def too_many(groups: Sequence[Group]) -> str:
    """Returns the sentence that these groups have too many members to be deleted, and what to do about it."""
    said = ngettext(
        "%(groups)s: more than %(most)s people are in it. Take people out of it first",
        "%(groups)s: more than %(most)s people are in them. Take people out of them first",
        len(groups),
    )
    return said % {"groups": power.listed([group.name for group in groups]), "most": power.MEMBERS}
