"""The outbox at the desk: what waits, what left, what the server said. Contents are never shown: they hold links."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.long_list import TickedList
from kit.paging import BoundedPaginator
from outbox.mail.retry import Outcome, retry
from outbox.models import OutboxMessage
from outbox.models.queryset import OutboxQuerySet

NEWEST = 1000  # mails whose kinds are offered


class StatusFilter(admin.SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return OutboxMessage.Status.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        known = self.value() in OutboxMessage.Status
        return queryset.in_status(self.value()) if known else queryset


class KindFilter(admin.SimpleListFilter):
    """The kinds of late: to find all that there ever were, the whole table would have to be read."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        newest = OutboxMessage.objects.order_by("-id").values_list("kind", flat=True)[:NEWEST]
        return [(kind, kind) for kind in sorted({*newest, *filter(None, [self.value()])})]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(OutboxMessage)
class OutboxAdmin(TickedList):
    list_display = ("kind", "recipient", "status_name", "attempts", "next_try", "last_answer", "created_at")
    list_filter = (StatusFilter, KindFilter)
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("recipient__exact",)
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50
    exclude = ("parts",)
    actions = ("retry_now",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filters only by what is listed: by any other, a live link could be guessed letter by letter."""
        return lookup in {StatusFilter.parameter_name, KindFilter.parameter_name}

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        return super().get_queryset(request).defer("parts")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.lower())

    @admin.display(description=gettext_lazy("status"))
    def status_name(self, mail: OutboxMessage) -> str:
        return str(mail.status.label)

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, mail: OutboxMessage) -> datetime | str | None:
        if mail.status not in {mail.Status.QUEUED, mail.Status.TRIED}:
            return None
        return _("with the broker") if mail.published_at else mail.next_try_at

    @admin.action(description=gettext_lazy("Retry now"), permissions=["retry"])
    def retry_now(self, request: HttpRequest, queryset: OutboxQuerySet) -> None:
        outcomes = retry(queryset)
        queued = outcomes.pop(Outcome.QUEUED, 0)
        words = _("%(queued)s queued.") % {"queued": queued}
        if outcomes:
            reasons = ", ".join(f"{number} {Outcome(reason).label}" for reason, number in outcomes.items())
            skipped = {"queued": queued, "skipped": outcomes.total(), "reasons": reasons}
            words = _("%(queued)s queued. %(skipped)s skipped: %(reasons)s.") % skipped
        self.message_user(request, words, messages.SUCCESS if queued else messages.WARNING)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("outbox.change_outboxmessage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:
        return False
