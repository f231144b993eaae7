"""The outbox at the desk: what waits, what left, what the server said. Contents are never shown: they hold links."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mail.models import OutboxMessage, Suppression
from mail.models.queryset import OutboxQuerySet
from mail.paging import BoundedPaginator
from mail.retry import Outcome, retry

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


class TickedList(admin.ModelAdmin):
    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().response_action(request, queryset, *args, **kwargs)
        except ValueError:  # an id that is none
            said = _("What you ticked could not be read. Nothing was done. Tick it again.")
            self.message_user(request, said, messages.ERROR)
            return None


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
        return request.user.has_perm("mail.change_outboxmessage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:
        return False


@admin.register(Suppression)
class SuppressionAdmin(TickedList):
    """Addresses that no mail goes to. They come by themselves; all that is to be done is to let mail go there again.

    Of an address whose owner wants no mail there is only a hash: who knows it finds it.
    """

    list_display = ("address", "created_at", "why")
    search_fields = ("recipient",)  # get_search_results knows how
    search_help_text = gettext_lazy("A whole address; also one whose owner asked never to be written to")
    sortable_by = ()
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50
    actions = ("lift",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        email = search_term.strip().lower()
        return (queryset & Suppression.objects.to([email])) if email else queryset, False

    @admin.display(description=gettext_lazy("address"))
    def address(self, suppression: Suppression) -> str:
        return suppression.recipient or _("(kept only as a hash)")

    @admin.display(description=gettext_lazy("reason"))
    def why(self, suppression: Suppression) -> str:
        return _("Its owner asked never to be written to.") if suppression.is_wish else suppression.reason

    @admin.action(description=gettext_lazy("Mail these addresses again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        self.log_deletions(request, queryset)
        for suppression in queryset:
            suppression.lift()
        count = len(queryset)
        said = ngettext("Mail goes to %(count)s address again.", "Mail goes to %(count)s addresses again.", count)
        self.message_user(request, said % {"count": count})

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mail.delete_suppression")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """Only by the action, which says what it does."""
        return False
