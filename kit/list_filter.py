"""Filters of the lists of the desk: each knows its choices, refuses all else, and counts no further than needed."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Subquery
from django.http import HttpRequest

from kit.long_list import with_separators

COUNTED = 1000  # rows, beside each choice of a filter


class Capped(Subquery):
    """An SQL expression that counts the rows of a sliced query, and so no more than the slice."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


class ChoiceFilter(admin.SimpleListFilter):
    """A filter with a number beside each choice, counted up to COUNTED; one statement for all choices.

    Subclasses define rows_of(). The URL may name only the choices on offer.
    """

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

    def get_facet_queryset(self, changelist: ChangeList) -> dict[str, Any]:
        """Returns the number beside each choice, as text: {"0__c": "12", "1__c": "1,000+"}, by the choice's place.

        The rows are those that the search and the other filters leave.
        """
        rows: Any = changelist.get_queryset(self.request, exclude_parameters=self.expected_parameters())
        rows = rows.order_by("-pk").values("pk")  # in the order of the indexes, and so by them
        counts = {
            f"{number}__c": Capped(self.rows_of(rows, str(choice))[: COUNTED + 1])
            for number, (choice, _title) in enumerate(self.lookup_choices)
        }
        one_row = get_user_model().objects.filter(pk=self.request.user.pk)  # to hang them on
        return {name: capped_in_words(number) for name, number in one_row.values(**counts).get().items()}


def capped_in_words(number: int) -> str:
    """Returns a number as it is shown beside a choice: "12", or "1,000+" for more than COUNTED."""
    return f"{with_separators(COUNTED)}+" if number > COUNTED else str(number)
