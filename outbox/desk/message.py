"""The outbox at the desk: mail with its state and the mail server's last answer, without contents: they hold links."""

from datetime import datetime
from operator import itemgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.list_filter import ChoiceFilter
from kit.long_list import LongList, ReadOnly
from outbox import kinds
from outbox.mail.retry import Outcome, retry
from outbox.models import OutboxMessage
from outbox.models.queryset import OutboxQuerySet

NEWEST = 1000  # mails whose kinds KindFilter offers


class StatusFilter(ChoiceFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return OutboxMessage.Status.choices

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.in_status(value)


class KindFilter(ChoiceFilter):
    """A filter by kind. It offers the kinds of the NEWEST mails, and the chosen kind if any mail has it.

    To offer all kinds, it would have to read the whole table.
    """

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        asked = self.value()
        found = set(OutboxMessage.objects.order_by("-id").values_list("kind", flat=True)[:NEWEST])
        if asked and asked not in found and OutboxMessage.objects.filter(kind=asked).exists():
            found.add(asked)
        return sorted(((kind, kinds.in_words(kind)) for kind in found), key=itemgetter(1))

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(kind=value)


@admin.register(OutboxMessage)
class OutboxAdmin(ReadOnly, LongList):
    """The list of outgoing mail, and a page for each mail, without contents. Staff can only have mail tried again."""

    list_display = ("kind_name", "recipient", "status_name", "attempts", "next_try", "last_answer", "created_at")
    list_filter = (StatusFilter, KindFilter)
    # The indexes find the mails of a status, but not in the order of the list. To show the number of a rare status
    # beside its choice, the database would read most of a long outbox each time the list is opened.
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("recipient__exact",)
    fields = readonly_fields = (
        "recipient",
        "kind_name",
        "message_id",
        "created_at",
        "attempts",
        "next_try_at",
        "give_up_at",
        "published_at",
        "sent_at",
        "bounced_at",
        "given_up_at",
        "last_answer",
        "found_dead_at",
    )
    actions = ("retry_now",)

    def asks_proof(self, request: HttpRequest) -> bool:
        return False  # nothing here gives anybody power

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        return super().get_queryset(request).defer("parts")

    @admin.display(description=gettext_lazy("kind"))
    def kind_name(self, mail: OutboxMessage) -> str:
        return mail.kind_in_words

    @admin.display(description=gettext_lazy("status"))
    def status_name(self, mail: OutboxMessage) -> str:
        return str(mail.status.label)

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, mail: OutboxMessage) -> datetime | str | None:
        """Returns when the mail is tried next, or that the broker has it; None if it no longer waits."""
        if mail.status not in {mail.Status.QUEUED, mail.Status.TRIED}:
            return None
        return _("with the broker") if mail.published_at else mail.next_try_at

    @admin.action(description=gettext_lazy("Retry now"), permissions=["retry"])
    def retry_now(self, request: HttpRequest, queryset: OutboxQuerySet) -> None:
        """Makes the chosen mails due now, and leads back to the list.

        A message says how many were queued, and why others were skipped.
        """
        outcomes = retry(queryset)
        queued = outcomes.pop(Outcome.QUEUED, 0)
        skipped = {str(Outcome(reason).label): number for reason, number in outcomes.items()}
        self.report(request, _("%(queued)s queued.") % {"queued": queued}, queued, skipped)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("outbox.change_outboxmessage")
