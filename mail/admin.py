"""The outbox at the desk: what waits, what left, what the server said. Contents are never shown: they hold links."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from mail.models import OutboxMessage


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
