"""The list of the lists that were sent: how many people are in each, and what became of them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invites.desk import batch_words as words
from invites.desk.preview_pages import PreviewPages
from invites.models import Batch, Invite
from invites.models.progress import is_corrected
from invites.models.states import OPEN
from kit import times
from kit.list_filter import ChoiceFilter
from kit.long_list import with_separators

DRAFTS = 100  # lists that were checked and not sent; the page counts no more


class DraftsFilter(ChoiceFilter):
    """Lists that were checked and not sent, which the list shows apart from the others."""

    title = gettext_lazy("sent")
    parameter_name = "drafts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("1", gettext_lazy("checked, not sent"))]

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset  # SentLists.get_queryset() has chosen them


class SentLists(PreviewPages):
    """The list of lists, newest first. Those that were checked and not sent are behind a link, and gone after a day."""

    change_list_template = "admin/invites/batch/list.html"
    list_display = ("name_or_day", "sent", "sent_by", "people", "accepted", "waiting", "trouble")
    list_filter = (DraftsFilter,)
    list_select_related = ("created_by",)
    list_per_page = 20  # each may have thousands of invitations, which are counted
    actions = None

    def get_queryset(self, request: HttpRequest) -> Any:
        """Returns the lists that the person may see, without the columns that may be long."""
        rows = self.visible(request).defer("entries", "refused", "remarks", "common")
        return rows.filter(begun_at__isnull="drafts" in request.GET)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the lists that were sent, and how many were checked and not sent; with "drafts" in the query those."""
        are_drafts = "drafts" in request.GET
        drafts = 0 if are_drafts else self.visible(request).filter(begun_at=None)[:DRAFTS].count()
        said = ngettext("%(count)s checked, not sent", "%(count)s checked, not sent", drafts) % {"count": drafts}
        context = {
            "title": _("Checked, not sent") if are_drafts else _("Sent together"),
            "drafts": said if drafts else "",
            "are_drafts": are_drafts,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def complete(self, rows: Iterable[Any]) -> None:
        """Counts the invitations of all lists of a page, and those whose mail did not arrive, in two statements."""
        invites = Invite.objects.filter(batch__in=[batch.pk for batch in rows if batch.begun_at]).order_by()
        waiting = Count("pk", filter=OPEN & Q(expires_at__gt=timezone.now()))
        numbers = {"accepted": Count("pk", filter=Q(accepted_at__isnull=False)), "waiting": waiting}
        people = invites.filter(~is_corrected(invites)).values("batch")
        counted = {row["batch"]: row for row in people.annotate(**numbers, invited=Count("pk"))}
        lost = invites.pending().in_trouble().values("batch").annotate(count=Count("pk"))
        troubled = dict(lost.values_list("batch", "count"))
        for batch in rows:
            batch.numbers = counted.get(batch.pk, {}) | {"trouble": troubled.get(batch.pk, 0)}

    @admin.display(description=gettext_lazy("list"))
    def name_or_day(self, batch: Batch) -> str:
        return str(batch)

    @admin.display(description=gettext_lazy("sent"), empty_value="–")
    def sent(self, batch: Batch) -> str:
        """Returns when the list was sent; what else became of it, if it was not sent whole or was taken back."""
        if batch.begun_at is None or batch.withdrawn_at or not batch.sent_at:
            return words.state(batch)
        return times.brief_html(batch.begun_at)

    @admin.display(description=gettext_lazy("sent by"), empty_value="–")
    def sent_by(self, batch: Batch) -> str:
        return batch.created_by.shown_name if batch.created_by else _("deleted account")

    @admin.display(description=gettext_lazy("people"))
    def people(self, batch: Any) -> str:
        """Returns how many were invited, as the page of the list says; or would be, if the list was not sent."""
        return with_separators(batch.numbers.get("invited", 0) if batch.begun_at else batch.people)

    @admin.display(description=gettext_lazy("accepted"), empty_value="–")
    def accepted(self, batch: Any) -> str:
        return with_separators(batch.numbers.get("accepted", 0)) if batch.begun_at else ""

    @admin.display(description=gettext_lazy("waiting"), empty_value="–")
    def waiting(self, batch: Any) -> str:
        return with_separators(batch.numbers.get("waiting", 0)) if batch.begun_at else ""

    @admin.display(description=gettext_lazy("trouble"), empty_value="–")
    def trouble(self, batch: Any) -> str:
        count = batch.numbers["trouble"]
        if not count:
            return ""
        said = ngettext("%(count)s did not arrive", "%(count)s did not arrive", count)
        return format_html('<span class="tag bad">{}</span>', said % {"count": with_separators(count)})
