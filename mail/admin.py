"""The outbox at the desk: what waits, what left, what the server said. Contents are never shown: they hold links."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mail.models import OutboxMessage, Suppression


@admin.register(OutboxMessage)
class OutboxAdmin(admin.ModelAdmin):
    list_display = ("kind", "recipient", "created_at", "attempts", "next_try_at", "sent_at", "last_answer")
    list_filter = ("kind",)
    search_fields = ("recipient__exact",)
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50
    exclude = ("parts",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filters only by what is listed: by any other, a live link could be guessed letter by letter."""
        return lookup.removesuffix("__exact") in self.list_filter

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        return super().get_queryset(request).defer("parts")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:
        return False


@admin.register(Suppression)
class SuppressionAdmin(admin.ModelAdmin):
    """Addresses that no mail goes to. They come by themselves; all that is to be done is to let mail go there again."""

    list_display = ("recipient", "created_at", "reason")
    search_fields = ("recipient__exact",)
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50
    actions = ("lift",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.strip().lower())

    @admin.action(description=_("Mail these addresses again"), permissions=["lift"])
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
