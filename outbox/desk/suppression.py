"""Suppressed addresses at the desk."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kit.long_list import TickedList
from outbox.models import Suppression


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
        return request.user.has_perm("outbox.delete_suppression")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """Only by the action, which says what it does."""
        return False
