"""The security history of all people at the desk, in sentences, read-only. It may be millions of rows long."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, User
from accounts.models.event import BY_STAFF, CHANGED, FAILED, FAILURES, NO_CHANGES
from accounts.sentences import GONE, is_of_account, read_names, sentence
from kit.list_filter import Chips, ChoiceFilter
from kit.long_list import LongList, ReadOnly
from kit.times import brief_html


class ShowChips(Chips):
    """The quick filters of the history; each choice has an index of its own."""

    title = _("show")
    parameter_name = "show"
    choice_of = {"failed": FAILED, "changed": CHANGED, "staff": BY_STAFF}
    belongs: ClassVar[dict[str, Callable[[str], bool]]] = {
        "failed": lambda kind: kind in FAILURES,
        "changed": lambda kind: kind not in NO_CHANGES,
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("failed", _("Failed sign-ins")), ("changed", _("Changes")), ("staff", _("Done by staff"))]

    def rows_of(self, queryset: Any, value: str) -> Any:
        """Returns the rows of `queryset` that belong to `value`.

        Of the one kind that the URL may name, all belong to a choice of kinds or none: to find none among millions, the
        database would read them all.
        """
        kind = self.request.GET.get(KindFilter.parameter_name)
        if kind and value in self.belongs:
            return queryset if self.belongs[value](kind) else queryset.none()
        return queryset.filter(self.choice_of[value])


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

    heading = _("Security history")
    list_display = ("what", "whose", "when", "place")
    list_display_links = None
    list_filter = (ShowChips, KindFilter)
    list_select_related = ("user",)
    search_fields = ("user",)  # for Django to show the field; search() looks up the person
    search_help_text = _("A username or an address")
    fields = readonly_fields = ("what", "whose", "at", "place")

    def complete(self, rows: Any) -> None:
        read_names(rows)

    @admin.display(description=_("What happened"))
    def what(self, event: Event) -> str:
        return sentence(event)

    @admin.display(description=_("Whose account"), empty_value="–")
    def whose(self, event: Event) -> str:
        """Returns the name of the account that the event belongs to, as a link to its page.

        For an event of no account, such as one of a command, it is "".
        """
        if event.user is None:
            return str(GONE) if is_of_account(event) else ""
        return format_html('<a href="{}">{}</a>', page_of(event.user), event.user.username)

    @admin.display(description=_("When"))
    def when(self, event: Event) -> str:
        return brief_html(event.at)

    @admin.display(description=_("Device and address"), empty_value="–")
    def place(self, event: Event) -> str:
        return ", ".join(filter(None, (event.device_name, event.ip)))

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """Returns the events of the person whose username or address is `term`; none if there is no such person.

        The person is looked up first: the history is long, and its index begins with the user.
        """
        user = User.objects.by_login(term)
        return queryset.filter(user=user) if user else queryset.none()


def page_of(person: User) -> str:
    """Returns the path of a person's page at the desk."""
    return reverse("admin:accounts_user_change", args=[person.pk])
