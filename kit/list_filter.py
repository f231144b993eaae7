"""Filters of the lists of the desk: each knows its choices, refuses all else, and counts no further than needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import IntegerField, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.long_list import with_separators

COUNTED = 1000  # rows, beside each chip
GROUPS = 100  # to choose from


class Capped(Subquery):
    """An SQL expression that counts the rows of a sliced query, and so no more than the slice."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


class ChoiceFilter(admin.SimpleListFilter):
    """A filter whose URL may name only the choices on offer. Subclasses define rows_of()."""

    def rows_of(self, queryset: Any, value: str) -> Any:
        """Returns the rows of `queryset` that belong to the choice `value`. Each subclass defines it."""
        raise NotImplementedError

    def has_output(self) -> bool:
        """Returns whether the filter is shown and its queryset() is called.

        It is so if there are choices, and also if the URL names one where there are none: queryset() then refuses it.
        """
        return super().has_output() or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Returns the rows of the choice that the URL names, or all of `queryset` if it names none.

        Raises IncorrectLookupParameters for an unknown choice; otherwise the full list would look like a filtered one.
        """
        value = self.value()
        if value is None:
            return queryset
        if value not in {str(choice) for choice, _title in self.lookup_choices}:
            raise IncorrectLookupParameters
        return self.rows_of(queryset, value)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yields each choice as the template shows it: whether it is chosen, its URL, and its words; first "Any"."""
        for value, title in [(None, _("Any")), *self.lookup_choices]:
            yield {
                "selected": self.value() == (value if value is None else str(value)),
                "query_string": changelist.get_query_string({str(self.parameter_name): value}),
                "display": title,
            }


class GroupFilter(ChoiceFilter):
    """A filter by group, for rows with a relation `groups`. It offers the first GROUPS, and the one that is chosen."""

    title = gettext_lazy("group")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        offered = list(Group.objects.order_by("name").values_list("pk", "name")[:GROUPS])
        value = self.value() or ""
        if len(offered) == GROUPS and value.isdecimal() and len(value) < 10:
            offered += Group.objects.filter(pk=value).exclude(pk__in=dict(offered)).values_list("pk", "name")
        return offered

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(groups=value)


@dataclass(frozen=True)
class Chip:
    """A link above a list to some of its rows, with their number in words, or "" where nobody has counted."""

    title: Any
    url: str
    is_chosen: bool
    number: str


class Chips(ChoiceFilter):
    """The filter that stands above a list, with the number of rows beside each choice, counted up to COUNTED.

    `rest` are choices that stand among the other filters instead, without a number.
    """

    rest: tuple[str, ...] = ()

    def chips(self, page: Any) -> list[Chip]:
        """Returns the chips over a ListPage, first that of all rows.

        Where other filters or a search narrow the list, none is counted: such combinations have no index.
        """
        choices = [("", _("All")), *((str(v), title) for v, title in self.lookup_choices if v not in self.rest)]
        numbers = {} if page.is_narrowed(but=self) else self.count(page, [value for value, _title in choices])
        chosen, name = self.value() or "", str(self.parameter_name)
        return [
            Chip(title, page.get_query_string({name: value or None}), value == chosen, numbers.get(value, ""))
            for value, title in choices
        ]

    def count(self, page: Any, values: list[str]) -> dict[str, str]:
        """Returns the number of rows of each choice in words, "" being the choice of all rows. Takes one statement."""
        rows = page.root_queryset.order_by("-pk").values("pk")  # in the order of the indexes, and so by them
        found = {value: self.rows_of(rows, value) if value else rows for value in values}
        counts = {f"of_{value}": Capped(chosen[: COUNTED + 1]) for value, chosen in found.items()}
        one_row = get_user_model().objects.filter(pk=self.request.user.pk)  # to hang them on
        numbers = one_row.values(**counts).get()
        return {value: capped_in_words(numbers[f"of_{value}"]) for value in values}

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yields what stands among the other filters: "Any", and the choices of `rest`."""
        any_other, *named = super().choices(changelist)
        values = [str(value) for value, _title in self.lookup_choices]
        rest = [choice for value, choice in zip(values, named, strict=True) if value in self.rest]
        yield any_other | {"selected": not any(choice["selected"] for choice in rest)}
        yield from rest


def capped_in_words(number: int) -> str:
    """Returns a number as it is shown beside a choice: "12", or "1,000+" for more than COUNTED."""
    return f"{with_separators(COUNTED)}+" if number > COUNTED else str(number)
