"""The security history of all people at the desk, read-only. It may be millions of rows long."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, User
from kit.list_filter import ChoiceFilter
from kit.long_list import LongList, ReadOnly


class KindFilter(ChoiceFilter):
    title = _("what")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Event.Kind.choices

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(kind=value)


@admin.register(Event)
class HistoryAdmin(ReadOnly, LongList):
    """The desk's read-only list of events of all people, filtered by kind or searched for one person."""

    list_display = ("at", "user", "kind", "ip", "device_name")
    list_filter = (KindFilter,)
    list_select_related = ("user",)
    search_fields = ("user",)  # for Django to show the field; search() looks up the person
    search_help_text = _("A username or an address")

    @admin.display(description=_("device"), empty_value="–")
    def device_name(self, event: Event) -> str:
        return event.device_name

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """Returns the events of the person whose username or address is `term`; none if there is no such person.

        The person is looked up first: the history is long, and its index begins with the user.
        """
        user = User.objects.by_login(term)
        return queryset.filter(user=user) if user else queryset.none()
