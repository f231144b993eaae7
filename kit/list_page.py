"""One page of a list at the desk: its rows and their order, the heads of its columns, and the links around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_list import results
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db.models import F, OrderBy
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit import paging
from kit.typed import fold

BOX = "action_checkbox"  # the column of boxes by which rows are ticked
EMPTY = "–"  # in a cell without a value


@dataclass(frozen=True)
class Head:
    """The head of a column. `url` sorts the list by it, the other way round if it is sorted so; "" if it can't."""

    name: str
    label: str
    url: str = ""
    direction: str = ""  # "ascending" or "descending" if the list is sorted by this column


class ListPage(ChangeList):
    """One page of a LongList, newest first unless the URL names a column.

    An index sorts the whole list by the columns of LongList.indexed. All else is sorted here, if it is short enough to
    be read whole: an index of one column would be searched from end to end for the few rows of a filter.
    """

    model_admin: Any  # a LongList
    result_list: Any  # a query set or, if it was sorted here, a list
    is_by_index = False  # whether the database sorts by the column of the URL

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(str(self.model_admin.heading or self.opts.verbose_name_plural))

    @property
    def column(self) -> str:
        """The name of the column that the URL sorts by, or ""."""
        return str(self.params.get(ORDER_VAR, "")).removeprefix("-")

    def is_narrowed(self, but: Any = None) -> bool:
        """Returns whether a search, or a filter other than `but`, leaves rows out of the list."""
        filters: list[Any] = self.filter_specs
        return bool(self.query) or any(one.value() is not None for one in filters if one is not but)

    def order(self) -> OrderBy:
        """Returns the order of the column that the URL names, turned round if the URL has a "-" before the name."""
        declared: Any = self.get_ordering_field(self.column)
        if isinstance(declared, str):
            name = declared.removeprefix("-")
            declared = F(name).desc(nulls_last=True) if declared.startswith("-") else F(name).asc()
        order: OrderBy = declared.copy()
        if self.params[ORDER_VAR].startswith("-"):
            order.reverse_ordering()
        return order

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Returns the order in the database: by the column of the URL if an index has it, else newest first.

        Rows that are equal in the column stand newest first or, in the opposite order, oldest first, as in the index.
        """
        self.is_by_index = self.column in self.model_admin.indexed and not self.is_narrowed()
        if not self.is_by_index:
            return list(self.model_admin.ordering)
        return [self.order(), "pk" if self.params[ORDER_VAR].startswith("-") else "-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Reads the rows of the requested page, and completes them with LongList.complete().

        Behind the last page, whose rows may just have been deleted, it reads the last. If too many rows are found to be
        sorted by the column of the URL, they stand newest first, and a message says so. Raises
        IncorrectLookupParameters if the page is no number from 1 on.
        """
        number = request.GET.get(PAGE_VAR, "1")
        if not (number.isascii() and number.isdecimal() and 0 < len(number) < 10 and int(number)):
            raise IncorrectLookupParameters
        try:
            super().get_results(request)
        except IncorrectLookupParameters:  # there is no such page
            self.page_num = self.model_admin.get_paginator(request, self.queryset, self.list_per_page).num_pages
            super().get_results(request)
        # Django sets no limit where all fits on a page. Without one, the database would prepare for all it expects.
        self.result_list = self.result_list[: max(self.list_per_page, self.list_max_show_all)]
        if self.column and not self.is_by_index:
            self.sort_here(request)
        self.model_admin.complete(self.result_list)

    @property
    def is_short(self) -> bool:
        """True if all that is found was counted, and so can be read whole."""
        return self.result_count < paging.SHOWN

    def sort_here(self, request: HttpRequest) -> None:
        """Sorts all that is found by the column of the URL and reads the rows of the page, in two statements."""
        if not self.is_short:
            said = _("Too many were found to sort them by this column. They stand newest first.")
            self.model_admin.message_user(request, said, messages.WARNING)
            return
        ids = self.sorted_ids()
        if self.multi_page and not (self.show_all and self.can_show_all):
            ids = ids[(self.page_num - 1) * self.list_per_page :][: self.list_per_page]
        rows = {row.pk: row for row in self.queryset.filter(pk__in=ids)}
        self.result_list = [rows[pk] for pk in ids if pk in rows]

    def sorted_ids(self) -> list[Any]:
        """Returns the ids of all that is found, sorted by the column of the URL; rows without a value stand last."""
        order: Any = self.order()
        pairs = self.queryset.values_list("pk", order.expression.name)
        known = [(pk, fold(value).casefold() if isinstance(value, str) else value) for pk, value in pairs if value]
        known.sort(key=lambda pair: pair[1], reverse=order.descending)
        return [pk for pk, _value in known] + [pk for pk, value in pairs if not value]

    def heads(self) -> Iterator[Head]:
        """Yields the heads of all columns, in their order."""
        for name in map(str, self.list_display):
            label = "" if name == BOX else str(label_for_field(name, self.model, model_admin=self.model_admin))
            yield self.sorting_head(name, label) if self.sorts_by(name) else Head(name, capfirst(label))

    def sorts_by(self, name: str) -> bool:
        """Returns whether the list can be sorted by this column."""
        is_indexed = name in self.model_admin.indexed and not self.is_narrowed()
        return name in (self.sortable_by or ()) and (is_indexed or self.is_short)

    def sorting_head(self, name: str, label: str) -> Head:
        """Returns the head of a column that the list can be sorted by."""
        is_sorted = name == self.column
        turned = is_sorted and not self.params[ORDER_VAR].startswith("-")
        url = self.get_query_string({ORDER_VAR: f"-{name}" if turned else name})
        direction = ("descending" if self.order().descending else "ascending") if is_sorted else ""
        return Head(name, capfirst(label), url, direction)

    def rows(self) -> Iterator[list[str]]:
        """Yields the cells of each row as HTML, with the labels that they have where each row is a card of its own."""
        heads = list(self.heads())
        for cells in results(self):
            yield [labelled(cell, head) for cell, head in zip(cells, heads, strict=True)]

    @property
    def first(self) -> int:
        """The number of the first row of the page, counted from 1."""
        is_whole = not self.multi_page or (self.show_all and self.can_show_all)
        return 1 if is_whole else (self.page_num - 1) * self.list_per_page + 1

    @property
    def last(self) -> int:
        """The number of the last row of the page."""
        return self.first + len(self.result_list) - 1

    @property
    def count_in_words(self) -> str:
        """The number of rows found, in words: "372", or "5,000+" if no more were counted."""
        number = number_format(self.result_count, force_grouping=True)
        return number if self.is_short else f"{number}+"

    @property
    def name_of_rows(self) -> Any:
        return self.opts.verbose_name if self.result_count == 1 else self.opts.verbose_name_plural

    def steps(self) -> list[tuple[str, str]]:
        """Returns the words and the URL of the steps to the pages before and after; [] if this is the only one.

        The URL is "" where there is no such page.
        """
        before = self.get_query_string({PAGE_VAR: self.page_num - 1}) if self.first > 1 else ""
        after = self.get_query_string({PAGE_VAR: self.page_num + 1}) if self.last < self.result_count else ""
        words = (_("Previous"), _("Next")) if self.column else (_("Newer"), _("Older"))
        return list(zip(words, (before, after), strict=True)) if before or after else []

    def url_without_search(self) -> str:
        return self.get_query_string(remove=[SEARCH_VAR])

    def chips(self) -> list[Any]:
        """Returns the quick filters above the list (kit.list_filter.Chips), if it has any."""
        return [chip for one in self.filter_specs if hasattr(one, "chips") for chip in one.chips(self)]

    def more_filters(self) -> list[tuple[str, list[Any]]]:
        """Returns the title and the choices of each other filter."""
        return [(str(one.title), choices) for one in self.filter_specs if len(choices := list(one.choices(self))) > 1]

    @property
    def is_filtered(self) -> bool:
        """True if one of more_filters() leaves rows out."""
        return any(not choices[0]["selected"] for _title, choices in self.more_filters())


def labelled(cell: str, head: Head) -> SafeString:
    """Returns a cell of Django's with its label in it. A box has none, nor has the first cell: it names its row."""
    tag, end, inner = cell.partition(">")
    if head.name == BOX:
        return mark_safe(f'<td class="box">{inner}')  # noqa: S308 all but the label is Django's own HTML
    if tag.startswith("<th"):
        return mark_safe(cell)  # noqa: S308
    if inner == f"{EMPTY}</td>":
        tag = tag.replace('class="', 'class="empty ')
    label = format_html('<span class="lbl">{}: </span>', head.label)
    return mark_safe(f"{tag}{end}{label}{inner}")  # noqa: S308
