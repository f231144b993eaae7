"""Everybody's security history at the desk, to read. It may be millions of rows long."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, User
from kit.long_list import CountedFilter, LongList


class KindFilter(CountedFilter):
    title = _("what")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Event.Kind.choices

    def chosen(self, queryset: Any, value: str) -> Any:
        return queryset.filter(kind=value)


@admin.register(Event)
class HistoryAdmin(LongList):
    list_display = ("at", "user", "kind", "ip", "device_name")
    list_filter = (KindFilter,)
    list_select_related = ("user",)
    search_fields = ("user",)  # get_search_results knows how
    search_help_text = _("A username or an address")

    @admin.display(description=_("device"), empty_value="–")
    def device_name(self, event: Event) -> str:
        return event.device_name

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the person, who is looked up first: the history is long, and indexed by its owner."""
        if not search_term:
            return queryset, False
        user = User.objects.by_login(search_term)
        return queryset.filter(user=user) if user else queryset.none(), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False
