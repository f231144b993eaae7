"""The outbox at the desk: mail with its state and what the server said, without contents: they hold links."""

from operator import itemgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.addresses import readable
from kit.list_filter import ChoiceFilter
from kit.long_list import LongList, ReadOnly
from kit.one_row import EVERYWHERE, Fact, OneRow
from kit.times import brief_html
from outbox import kinds, replies_in_words
from outbox.mail.retry import Outcome, retry
from outbox.models import OutboxMessage
from outbox.models.queryset import OutboxQuerySet
from outbox.models.retry_times import RETRIABLE

NEWEST = 1000  # mails whose kinds KindFilter offers
WAITING = {OutboxMessage.Status.QUEUED, OutboxMessage.Status.TRIED}
TONES = {
    OutboxMessage.Status.SENT: "ok",
    OutboxMessage.Status.TRIED: "warn",
    OutboxMessage.Status.BOUNCED: "bad",
    OutboxMessage.Status.GIVEN_UP: "bad",
}


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
class OutboxAdmin(ReadOnly, OneRow, LongList):
    """The list of outgoing mail, and a page for each mail, without contents. Staff can only have mail tried again."""

    heading = gettext_lazy("Outgoing mail")
    list_display = ("kind_name", "to", "state", "answer", "when")
    list_filter = (StatusFilter, KindFilter)
    # The indexes find the mails of a status, but not in the order of the list. To show the number of a rare status
    # beside its choice, the database would read most of a long outbox each time the list is opened.
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("recipient__exact",)
    search_help_text = gettext_lazy("A whole address")
    actions = ("retry_now",)

    def asks_proof(self, request: HttpRequest) -> bool:
        return False  # nothing here gives anybody power

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        return super().get_queryset(request).defer("parts")

    @admin.display(description=gettext_lazy("Mail"))
    def kind_name(self, mail: OutboxMessage) -> str:
        return mail.kind_in_words

    @admin.display(description=gettext_lazy("To"))
    def to(self, mail: OutboxMessage) -> str:
        return readable(mail.recipient)

    @admin.display(description=gettext_lazy("State"))
    def state(self, mail: OutboxMessage) -> str:
        """Returns the status of a mail as a tag and, while it waits, when it is tried next, or who has it."""
        tag = format_html('<span class="tag {}">{}</span>', TONES.get(mail.status, ""), mail.status.label)
        if mail.status not in WAITING:
            return tag
        if mail.published_at:
            return format_html("{} {}", tag, _("with the broker"))
        return format_html("{} {} {}", tag, _("next try:"), next_try(mail))

    @admin.display(description=gettext_lazy("What the server said"), empty_value="–")
    def answer(self, mail: OutboxMessage) -> str:
        return replies_in_words.answer(mail)

    @admin.display(description=gettext_lazy("When"))
    def when(self, mail: OutboxMessage) -> str:
        return brief_html(mail.created_at)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows what is known of a mail, without its contents; POST has it tried now, if that is the action.

        An unknown id leads to the start of the desk. Raises PermissionDenied for a person who may not view mail, and
        for a POST without an action.
        """
        mail = self.get_object(request, object_id)
        if mail and self.shows(request, mail):
            shown = {"title": mail.kind_in_words, "state": self.state(mail), "facts": self.facts(mail)}
            return self.show(request, "admin/outbox/outboxmessage/page.html", mail, shown)
        return super().change_view(request, object_id, *args, **kwargs)

    def facts(self, mail: OutboxMessage) -> list[Fact]:
        """Returns what is known of a mail, without what is not known."""
        times = {
            _("Written"): mail.created_at,
            _("Sent"): mail.sent_at,
            _("Came back"): mail.bounced_at,
            _("Given up"): mail.given_up_at,
            _("Address found dead"): mail.found_dead_at,
            _("Tried until"): mail.give_up_at if mail.status in WAITING else None,
        }
        known = [
            Fact(_("To"), self.to(mail)),
            *(Fact(label, brief_html(at)) for label, at in times.items() if at),
            Fact(_("Tries"), mail.attempts),
            Fact(_("What the server said"), self.answer(mail)),
            Fact(_("In its own words"), mail.last_answer),
            Fact(_("Message ID"), mail.message_id),
        ]
        return [fact for fact in known if fact.value != ""]

    @admin.action(description=gettext_lazy("Try now"), permissions=["retry"], location=EVERYWHERE)
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

    def applies(self, request: HttpRequest, row: OutboxMessage, name: str) -> bool:
        """Returns whether this mail can be tried now: it waits, or was given up not too long ago."""
        given_up = row.given_up_at if row.status == row.Status.GIVEN_UP else None
        return row.status in WAITING or bool(given_up and given_up > timezone.now() - RETRIABLE)


def next_try(mail: OutboxMessage) -> str:
    """Returns when a mail that waits is tried next, as HTML; "now" if it is due."""
    return brief_html(max(mail.next_try_at, timezone.now()))
