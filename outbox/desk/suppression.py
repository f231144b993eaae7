"""Suppressed addresses at the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kit.long_list import LongList, ReadOnly
from outbox.models import Suppression
from outbox.models.suppression import SuppressionQuerySet


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, LongList):
    """Addresses that no mail goes to. They come by themselves; all that is to be done is to let mail go there again.

    That is done by the action, which says what it does, and never by deleting. Of an address whose owner wants no mail
    there is only a hash: anyone who knows the address finds it.
    """

    list_display = ("address", "created_at", "why")
    search_fields = ("recipient",)  # search knows how
    search_help_text = gettext_lazy("A whole address; also one whose owner asked never to be written to")
    actions = ("lift",)

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """By the address or by its hash."""
        return queryset & Suppression.objects.to([term])

    @admin.display(description=gettext_lazy("address"))
    def address(self, suppression: Suppression) -> str:
        return suppression.recipient or _("(kept only as a hash)")

    @admin.display(description=gettext_lazy("reason"))
    def why(self, suppression: Suppression) -> str:
        return _("Its owner asked never to be written to.") if suppression.is_opt_out else suppression.reason

    @admin.action(description=gettext_lazy("Mail these addresses again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: SuppressionQuerySet) -> None:
        self.log_deletions(request, queryset)
        count = queryset.lift()
        said = ngettext("Mail goes to %(count)s address again.", "Mail goes to %(count)s addresses again.", count)
        self.report(request, said % {"count": count}, count, {})

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("outbox.delete_suppression")
