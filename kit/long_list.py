"""The base of all lists at the desk: they are as fast with millions of rows as with ten, and need no script."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import ObjectNotUpdated, ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from kit import addresses
from kit.list_page import EMPTY, ListPage
from kit.paging import BoundedPaginator

AT_ONCE = 5000  # rows, at most, that one action may change
WORDS, LONGEST = 10, 320  # words of a search, and characters of them all; each word costs the database more


def with_separators(number: int) -> str:
    """Returns a number with the thousands separators of the active language: "5,000"."""
    return number_format(number, force_grouping=True)


def means_all(request: HttpRequest) -> bool:
    """Returns whether the posted action is for all rows found and not only the ticked ones."""
    return bool(forms.BooleanField(required=False).to_python(request.POST.get("select_across")))


def shortened(term: str) -> str:
    """Returns the first WORDS words of a search, and LONGEST characters at most."""
    return " ".join(term.split()[:WORDS])[:LONGEST].rstrip()


def whole_list(request: HttpRequest) -> HttpResponse:
    """Returns a redirect to the whole list, as the answer to a URL that asks for something it does not offer."""
    return redirect(f"{request.path}?{ERROR_FLAG}=1")


def refused_in_words() -> str:
    return _("This page’s address asked for something that this list doesn’t offer. Here is the whole list.")


class LongList(admin.ModelAdmin):
    """An admin list that may be long, newest first. Its URL accepts only its filters, the search, an order and a page.

    The order is the name of a column of `sortable_by`, with "-" before it for the other way round. Columns among these
    that an index has, in the order that the column declares, are `indexed`.
    """

    heading: Any = ""  # what the list is called, if not by the plural name of its rows
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    empty_value_display = EMPTY
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    lede: Any = ""  # a sentence under the title
    adding: Any = ""  # the words of the button that adds a row, and of its page
    sortable_by: ClassVar[Any] = ()
    indexed: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST changes what gives power, so that staff must show that it is still them.

        True unless a subclass knows better: rights, addresses, webhooks and the deletion of people ask.
        """
        return True

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Writes Django's log of the desk, and tells the listeners of the site (config.admin.Site) what was added."""
        self.tell_listeners(request, [obj], "added")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Writes Django's log of the desk, and tells the listeners of the site what was changed."""
        self.tell_listeners(request, [obj], "changed")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Writes Django's log of the desk, and tells the listeners of the site what is about to be deleted."""
        self.tell_listeners(request, queryset, "deleted")
        return super().log_deletions(request, queryset)

    def tell_listeners(self, request: HttpRequest, rows: Iterable[Any], done: str) -> None:
        """Calls each listener of the site with the request, this admin class, the rows, and what was done to them.

        `done` is "added", "changed" or "deleted".
        """
        for listener in getattr(self.admin_site, "listeners", ()):
            listener(request, self, rows, done)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Shows the form of a row, or of a new one; its POST stores the row, and leads to the list.

        If another request has taken a name or has deleted the row since the form was checked, nothing is stored and all
        is read once more: the form comes back with what was typed and says what is taken, or the desk that the row is
        gone.
        """
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (IntegrityError, ObjectNotUpdated):
            return super().changeform_view(request, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Returns the page of a form. Its labels are without colons, and its title and errors in words of ours."""
        context["adminform"].form.label_suffix = ""
        context |= {"is_wrong": bool(context.get("errors")), "errors": None}
        if kwargs.get("add") and self.adding:
            context["title"] = self.adding
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Leads to the list, after a new row was stored."""
        self.message_user(request, _("Saved: %(row)s.") % {"row": obj}, messages.SUCCESS)
        return self.response_post_save_add(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Leads to the list, after a row was changed."""
        self.message_user(request, _("Saved: %(row)s.") % {"row": obj}, messages.SUCCESS)
        return self.response_post_save_change(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """Leads to the list, after a row was deleted."""
        self.message_user(request, _("Deleted: %(row)s.") % {"row": obj_display}, messages.SUCCESS)
        return self.response_post_save_change(request, None)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Raises Http404: what staff have done to a row is in the security history."""
        raise Http404

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Returns what the page before a deletion shows: the rows in words, their number, and rights that are missing.

        The last value, protected rows, is always empty. What is deleted with the rows is not listed: it may be very
        much, and Django would name each session by its key.
        """
        rows = list(objs)
        kept = {str(self.opts.verbose_name) for row in rows if not self.has_delete_permission(request, row)}
        return [self.in_full(row) for row in rows], {self.opts.verbose_name_plural: len(rows)}, kept, []

    def in_full(self, row: Any) -> str:
        """Returns what a row is called where staff are asked whether to delete it."""
        return str(row)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Returns whether the URL may filter by `lookup`: only if the list has that filter.

        By other fields, staff could guess a secret letter by letter.
        """
        filters: Any = self.get_list_filter(request)
        return lookup in {listed.parameter_name for listed in filters}

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Returns the requested page of the list.

        Raises IncorrectLookupParameters if there is no such page, or if the URL has a parameter or a value that the
        list does not offer.
        """
        own = {PAGE_VAR, ALL_VAR, ERROR_FLAG, ORDER_VAR, *([SEARCH_VAR] if self.get_search_fields(request) else [])}
        if not all(name in own or self.lookup_allowed(name, value, request) for name, value in request.GET.items()):
            raise IncorrectLookupParameters
        if request.GET.get(ORDER_VAR, "").removeprefix("-") not in {"", *self.sortable_by}:
            raise IncorrectLookupParameters
        typed = request.GET.get(SEARCH_VAR, "")
        if request.method == "GET" and " ".join(typed.split()) != shortened(typed):
            said = _("Only the first %(words)s words were looked for, and %(characters)s characters at most.")
            self.message_user(request, said % {"words": WORDS, "characters": LONGEST}, messages.WARNING)
        return super().get_changelist_instance(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListPage

    def get_actions(
        self, request: HttpRequest, action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST
    ) -> dict[str, Any]:
        """Returns the actions that the person may do, by their names; deletion stands last."""
        actions: dict[str, Any] = super().get_actions(request, action_location)
        deletion = actions.pop("delete_selected", None)
        return actions | ({"delete_selected": deletion} if deletion else {})

    @admin.display(description="")
    def action_checkbox(self, obj: Any) -> SafeString:
        """Returns the box that ticks a row for an action, with a label for screen readers."""
        box = '<input type="checkbox" name="{}" value="{}" aria-label="{}">'
        return format_html(box, helpers.ACTION_CHECKBOX_NAME, obj.pk, _("Select %(row)s") % {"row": obj})

    def complete(self, rows: Iterable[Any]) -> None:
        """Attaches to all rows of one page, at once, what they show beside their own columns.

        Here it does nothing; subclasses may override it.
        """

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Returns a pair: the rows of `queryset` that search() finds, and False, as no row is found twice.

        The term is put in the spelling and lower case in which all columns that can be searched are stored and indexed.
        Of a long one only the beginning is looked for, see shortened(). A blank one finds all rows.
        """
        term = addresses.key(shortened(search_term))
        return (self.search(request, queryset, term) if term else queryset), False

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """Returns the rows of `queryset` that `term` finds: here in `search_fields`; subclasses may search otherwise.

        `term` is trimmed, in lower case and never empty.
        """
        return super().get_search_results(request, queryset, term)[0]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Shows the list. POST runs an action on the ticked rows, or on all rows found.

        POST leads back to the list, unless the action has an answer of its own. A URL with a parameter or value that
        the list does not offer leads to the whole list, which says so. Raises PermissionDenied for staff who may not
        see the list. Django demands a tick even for all rows, so one is added to `request.POST`.
        """
        if ERROR_FLAG in request.GET:
            if set(request.GET) != {ERROR_FLAG}:  # Django would blame the database for what is refused again
                return whole_list(request)
            self.message_user(request, refused_in_words(), messages.WARNING)
        if "action" in request.POST and means_all(request):
            form = request.POST.copy()
            form.setdefault(helpers.ACTION_CHECKBOX_NAME, "all")
            request.POST = form  # type: ignore[assignment]
        elif "action" in request.POST and helpers.ACTION_CHECKBOX_NAME not in request.POST:
            said = _("Nothing is ticked, so nothing was done. Tick rows, or the box for all that were found.")
            self.message_user(request, said, messages.WARNING)
            return redirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    def response_action(
        self,
        request: HttpRequest,
        queryset: Any,
        action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST,
    ) -> HttpResponse | None:
        """Runs the posted action and returns its answer, or a redirect to this URL if it has none.

        Returns None, with a message that says so, if nothing was run: a tick is invalid, no row or no action was
        chosen, or all rows found are more than AT_ONCE. `action_location` says where the action was chosen: on the list
        or on the page of a row.
        """
        refused = self.refuses_many(request, queryset, AT_ONCE) if means_all(request) else self.refuses_ticks(request)
        return None if refused else super().response_action(request, queryset, action_location)

    def refuses_ticks(self, request: HttpRequest) -> bool:
        """Returns whether a posted tick is no valid primary key; if so, a message says that nothing was done."""
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
        """Returns whether `queryset` has more than `most` rows; if so, a message says that nothing was done."""
        too_many = queryset.order_by()[: most + 1].count() > most
        if too_many:
            said = _("More than %(most)s were found. Nothing was done. Find fewer of them with the filters first.")
            self.message_user(request, said % {"most": with_separators(most)}, messages.ERROR)
        return too_many

    def report(self, request: HttpRequest, done: str, number: int, skipped: Mapping[str, int]) -> None:
        """Adds a message for the next page: the sentence `done`, then how many rows were skipped for each reason.

        `number` is how many rows were changed; with 0 the message is a warning. `skipped` has the number of rows by
        reason. `done` may be "" if rows were skipped.
        """
        said = done
        if total := sum(skipped.values()):
            reasons = ", ".join(f"{with_separators(count)} {reason}" for reason, count in skipped.items() if count)
            numbers = {"skipped": with_separators(total), "reasons": reasons}
            skips = _("%(skipped)s skipped: %(reasons)s.") % numbers
            said = f"{done} {skips}".strip()
        self.message_user(request, said, messages.SUCCESS if number else messages.WARNING)


class ReadOnly(admin.ModelAdmin):
    """An admin whose rows nobody may add, change or delete by a form."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
