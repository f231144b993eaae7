"""What the lists of the desk have in common: they answer alike with ten rows and with millions, and need no script."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import IntegerField, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.paging import BoundedPaginator

COUNTED = 1000  # rows, beside each choice of a filter
AT_ONCE = 5000  # rows that one action takes


def exact(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def ago(moment: datetime) -> str:
    """How long it is since then, with the moment itself for who points at it."""
    said = _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return format_html('<time title="{}">{}</time>', exact(moment), said)


class Capped(Subquery):
    """How many rows a sliced query finds."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


class CountedFilter(admin.SimpleListFilter):
    """A filter with a number beside each choice, counted up to COUNTED; one statement for all choices."""

    def chosen(self, queryset: Any, value: str) -> Any:
        """The rows of one choice."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Raises IncorrectLookupParameters for what is no choice: all rows would look as if they were chosen."""
        value = self.value()
        if value is None:
            return queryset
        if value not in {str(choice) for choice, _title in self.lookup_choices}:
            raise IncorrectLookupParameters
        return self.chosen(queryset, value)

    def get_facet_queryset(self, changelist: ChangeList) -> dict[str, Any]:
        rows: Any = changelist.get_queryset(self.request, exclude_parameters=self.expected_parameters())
        rows = rows.order_by("-pk").values("pk")  # in the order of the indexes, and so by them
        counts = {
            f"{number}__c": Capped(self.chosen(rows, str(choice))[: COUNTED + 1])
            for number, (choice, _title) in enumerate(self.lookup_choices)
        }
        one_row = get_user_model().objects.filter(pk=self.request.user.pk)  # to hang them on
        return {name: counted(number) for name, number in one_row.values(**counts).get().items()}


def counted(number: int) -> str:
    """A capped number in words: "1,000+"."""
    return f"{number_format(COUNTED, force_grouping=True)}+" if number > COUNTED else str(number)


class TickedList(admin.ModelAdmin):
    """A list of which some rows are ticked."""

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().response_action(request, queryset, *args, **kwargs)
        except ValueError:  # an id that is none
            said = _("What you ticked could not be read. Nothing was done. Tick it again.")
            self.message_user(request, said, messages.ERROR)
            return None


class LongChangeList(ChangeList):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Newest first, whatever the address of the page says: any other order would sort the whole table."""
        return ["-pk"]


class LongActionForm(helpers.ActionForm):
    """What is to be done, and whether with all that is found: the stock way to say so is a script."""

    select_across = forms.BooleanField(label=gettext_lazy("with all that is found, ticked or not"), required=False)


class LongList(admin.ModelAdmin):
    """A list that may be long. Its filters name their parameters; nothing else can be asked of it."""

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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the whole word: all that can be searched is stored in lower case, and indexed so."""
        return super().get_search_results(request, queryset, search_term.strip().lower())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Needs no tick when all are meant."""
        if request.method == "POST" and request.POST.get("select_across"):
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
        try:
            if request.POST.get("select_across") and self.refuses_many(request, queryset, AT_ONCE):
                return None
            return super().response_action(request, queryset, action_location)
        except ValidationError:  # an id that is none
            said = _("What you ticked could not be read. Nothing was done. Tick it again.")
            self.message_user(request, said, messages.ERROR)
            return None

    def refuses_many(self, request: HttpRequest, queryset: "QuerySet[Any]", most: int) -> bool:
        """Whether they are too many for one request; says so."""
        too_many = queryset.order_by()[: most + 1].count() > most
        if too_many:
            said = _("More than %(most)s were found. Nothing was done. Find fewer of them with the filters first.")
            self.message_user(request, said % {"most": number_format(most, force_grouping=True)}, messages.ERROR)
        return too_many

    def report(self, request: HttpRequest, done: str, number: int, skipped: Mapping[str, int]) -> None:
        """What was done, with how many, and how many were skipped for which reasons; never nothing."""
        said = done
        if total := sum(skipped.values()):
            reasons = ", ".join(f"{count} {reason}" for reason, count in skipped.items() if count)
            said = f"{done} {_('%(skipped)s skipped: %(reasons)s.') % {'skipped': total, 'reasons': reasons}}"
        self.message_user(request, said, messages.SUCCESS if number else messages.WARNING)
