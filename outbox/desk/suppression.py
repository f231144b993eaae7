"""Suppressed addresses at the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kit.addresses import readable
from kit.long_list import LongList, ReadOnly
from kit.times import brief_html
from outbox import replies_in_words
from outbox.models import Suppression
from outbox.models.suppression import SuppressionQuerySet


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, LongList):
    """The list of addresses that no mail goes to. Staff cannot add any; they can only let mail go to them again.

    They do so by an action, whose name says what it does, and not by the admin's page for deleting. An address whose
    owner wants no mail is stored as a hash only: staff find it by searching for the whole address, and cannot lift it.
    """

    heading = gettext_lazy("Addresses we don’t write to")
    list_display = ("address", "since", "why")
    list_display_links = None
    search_fields = ("recipient",)  # so that there is a search box; search() looks up the address
    search_help_text = gettext_lazy("A whole address; also one whose owner asked never to be written to")
    fields = readonly_fields = list_display
    actions = ("lift",)

    def asks_proof(self, request: HttpRequest) -> bool:
        return False  # nothing here gives anybody power

    def search(self, request: HttpRequest, queryset: Any, term: str) -> Any:
        """Returns the row of `queryset`, if any, that suppresses the address `term`: stored as it is, or as a hash."""
        return queryset & Suppression.objects.to([term])

    @admin.display(description=gettext_lazy("Address"))
    def address(self, suppression: Suppression) -> str:
        return readable(suppression.recipient) if suppression.recipient else _("(kept only as a hash)")

    @admin.display(description=gettext_lazy("Since"))
    def since(self, suppression: Suppression) -> str:
        return brief_html(suppression.created_at)

    @admin.display(description=gettext_lazy("Why"))
    def why(self, suppression: Suppression) -> str:
        """Returns why no mail goes to the address: its owner's wish, or what the server said, in words."""
        if suppression.is_opt_out:
            return _("Its owner asked never to be written to.")
        return replies_in_words.with_code(suppression.reason)

    @admin.action(description=gettext_lazy("Mail these addresses again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: SuppressionQuerySet) -> None:
        """Logs and deletes the chosen suppressions, so that mail goes to their addresses again; leads back to the list.

        Leaves alone what the owners of addresses asked for, which only they can take back. A message says how many
        addresses get mail again, and how many do not and why.
        """
        wishes = set(queryset.filter(recipient=None).values_list("pk", flat=True))
        bounced = queryset.exclude(recipient=None)
        self.log_deletions(request, bounced)
        lifted = bounced.lift()
        opted_out = Suppression.objects.among(lifted)
        wishes |= {wish.pk for wish in opted_out.values()}
        count = len(lifted) - len(opted_out)
        said = ngettext("Mail goes to %(count)s address again.", "Mail goes to %(count)s addresses again.", count)
        kept = _("whose owner asked never to be written to: only a link in a mail to them takes that back")
        self.report(request, said % {"count": count}, count, {kept: len(wishes)})

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("outbox.delete_suppression")
