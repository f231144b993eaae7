"""What the lists of the desk have in common: they answer alike with ten rows and with millions, and need no script."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.paging import BoundedPaginator

AT_ONCE = 5000  # rows that one action takes


def exact(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def ago(moment: datetime) -> str:
    """'3 hours ago', with the exact time as a tooltip."""
    said = _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return format_html('<time title="{}">{}</time>', exact(moment), said)


def with_separators(number: int) -> str:
    """A number as people write it: "5,000"."""
    return number_format(number, force_grouping=True)


class LongChangeList(ChangeList):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_results(self, request: HttpRequest) -> None:
        """Reads the rows of one page. Raises IncorrectLookupParameters when there is no such page."""
        super().get_results(request)
        try:
            self.paginator.validate_number(request.GET.get(PAGE_VAR, 1))
        except InvalidPage:
            raise IncorrectLookupParameters from None
        self.model_admin.complete(self.result_list)  # type: ignore[attr-defined]  # a LongList


class LongActionForm(helpers.ActionForm):
    """What is to be done, and whether with all that is found: the stock way to say so is a script."""

    select_across = forms.BooleanField(label=gettext_lazy("with all that is found, ticked or not"), required=False)


def means_all(request: HttpRequest) -> bool:
    """Whether all that is found is meant, as LongActionForm reads it."""
    return bool(forms.BooleanField(required=False).to_python(request.POST.get("select_across")))


class LongList(admin.ModelAdmin):
    """A list that may be long, newest first. Its filters name their parameters; nothing else can be asked of it."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.ALWAYS
    paginator = BoundedPaginator
    action_form = LongActionForm
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filters only by what is listed: by any other, a secret could be guessed letter by letter."""
        filters: Any = self.get_list_filter(request)
        return lookup in {listed.parameter_name for listed in filters}

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Raises IncorrectLookupParameters for a parameter or a value that the list does not offer."""
        own = {PAGE_VAR, ALL_VAR, ERROR_FLAG, *([SEARCH_VAR] if self.get_search_fields(request) else [])}
        if not all(name in own or self.lookup_allowed(name, value, request) for name, value in request.GET.items()):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def complete(self, rows: Iterable[Any]) -> None:
        """Reads what these rows show beside their own columns, for all rows of one page at once."""

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the whole word: all that can be searched is stored in lower case, and indexed so."""
        term = search_term.strip().lower()
        return (self.search(request, queryset, term) if term else queryset), False

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """The rows that a search term finds; the term is never empty."""
        return super().get_search_results(request, queryset, term)[0]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Needs no tick when all are meant."""
        if request.method == "POST" and means_all(request):
            form = request.POST.copy()
            form.setdefault(helpers.ACTION_CHECKBOX_NAME, "all")
            request.POST = form  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def response_action(
        self,
        request: HttpRequest,
        queryset: Any,
        action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST,
    ) -> HttpResponse | None:
        refused = self.refuses_many(request, queryset, AT_ONCE) if means_all(request) else self.refuses_ticks(request)
        return None if refused else super().response_action(request, queryset, action_location)

    def refuses_ticks(self, request: HttpRequest) -> bool:
        """Whether something was ticked that can't be the id of a row; says so."""
        pk: Any = self.opts.pk
        try:
            for ticked in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
                pk.clean(ticked, None)
        except ValidationError:
            said = _("What you ticked could not be read. Nothing was done. Tick it again.")
            self.message_user(request, said, messages.ERROR)
            return True
        return False

    def refuses_many(self, request: HttpRequest, queryset: "QuerySet[Any]", most: int) -> bool:
        """Whether they are too many for one request; says so."""
        too_many = queryset.order_by()[: most + 1].count() > most
        if too_many:
            said = _("More than %(most)s were found. Nothing was done. Find fewer of them with the filters first.")
            self.message_user(request, said % {"most": with_separators(most)}, messages.ERROR)
        return too_many

    def report(self, request: HttpRequest, done: str, number: int, skipped: Mapping[str, int]) -> None:
        """What was done, with how many, and how many were skipped for which reasons; never nothing."""
        said = done
        if total := sum(skipped.values()):
            reasons = ", ".join(f"{with_separators(count)} {reason}" for reason, count in skipped.items() if count)
            numbers = {"skipped": with_separators(total), "reasons": reasons}
            said = f"{done} {_('%(skipped)s skipped: %(reasons)s.') % numbers}".strip()
        self.message_user(request, said, messages.SUCCESS if number else messages.WARNING)


class ReadOnly(admin.ModelAdmin):
    """Rows that nobody adds, changes or deletes by a form."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
