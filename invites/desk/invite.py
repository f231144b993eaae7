"""Invitations at the desk: all of them, in any state. No page shows a token or a link."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invites.desk.actions import Steering
from invites.desk.filters import (
    BatchFilter,
    CreatedFilter,
    DeliveryFilter,
    EndFilter,
    InviterFilter,
    LanguageFilter,
    SourceFilter,
    StateFilter,
)
from invites.desk.invite_form import InviteForm
from invites.desk.invite_page import InvitePage
from invites.models import Entry, Invite, Reason, in_step
from kit import addresses
from kit.long_list import ago, exact
from outbox.models import OutboxMessage


@admin.register(Invite)
class InviteAdmin(InvitePage, Steering):
    """The admin of invitations: the list and the form that invites one person. InvitePage has the page of one."""

    form = InviteForm
    add_form_template = "admin/invites/invite/add.html"
    list_display = ("address", "state_badge", "delivery", "inviter", "source", "sent", "end")
    list_filter = (
        StateFilter,
        EndFilter,
        DeliveryFilter,
        CreatedFilter,
        SourceFilter,
        LanguageFilter,
        InviterFilter,
        BatchFilter,
    )
    list_select_related = ("invited_by",)
    search_fields = ("email__exact",)
    search_help_text = gettext_lazy("A whole address")
    fields = InviteForm.Meta.fields

    @admin.display(description=gettext_lazy("email address"))
    def address(self, invite: Invite) -> str:
        return readable(invite.email)

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, invite: Invite) -> str:
        return format_html('<span class="badge {}">{}</span>', invite.state, invite.state.label)

    @admin.display(description=gettext_lazy("delivery"), empty_value="–")
    def delivery(self, invite: Invite) -> str:
        return delivery_in_words(invite.newest_mail)

    @admin.display(description=gettext_lazy("invited by"), empty_value="–")
    def inviter(self, invite: Invite) -> str:
        if invite.invited_by is None:
            return "–"
        query = urlencode({InviterFilter.parameter_name: invite.invited_by_id})
        return list_link(query, invite.invited_by.username)

    @admin.display(description=gettext_lazy("last sent"), empty_value="–")
    def sent(self, invite: Invite) -> str:
        """Returns how long ago the invitation was last mailed, and how often in all if more than once."""
        if invite.sent_at is None:
            return ""
        often = f" (×{invite.sends})" if invite.sends > 1 else ""
        return format_html("{}{}", ago(invite.sent_at), often)

    @admin.display(description=gettext_lazy("ends"))
    def end(self, invite: Invite) -> str:
        day = date_format(timezone.localtime(invite.expires_at), _("j M Y"))
        return format_html('<time title="{}">{}</time>', exact(invite.expires_at), day)

    def complete(self, rows: Any) -> None:
        OutboxMessage.objects.attach_newest(rows)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Shows the form that invites one person. Its POST sends the invitation, and leads to its page."""
        return super().add_view(request, form_url, {"title": _("Invite one person")} | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        """Invites the person of a valid form, by a mail, and sets `obj.pk` to the id of the pending invitation.

        If the address can't be invited any more since the form was checked, a message says why. If that is because
        another person has just invited it, `obj.pk` is the id of that invitation, which is left as it is; else None.
        """
        entry = Entry(**{name: form.cleaned_data[name] for name in ("email", "note", "language")})
        given: dict[str, Any] = {"source": Invite.Source.ADMIN, "invited_by": request.user}
        outcome = Invite.objects.issue_many([entry], **given, leaving=in_step(), beside_members=True)
        for _email, reason in outcome.skipped:
            self.message_user(request, self.why_not(reason), messages.WARNING)
        if outcome.done:
            self.message_user(request, _("1 invitation is on its way."), messages.SUCCESS)
        standing = Invite.objects.pending().filter(email=entry.email).exclude(source=Invite.Source.MEMBER)
        obj.pk = outcome.done[0] if outcome.done else standing.order_by("-id").values_list("pk", flat=True).first()

    def why_not(self, reason: Reason) -> str:
        """Returns the message that an address, which could be invited when the form was checked, was not."""
        if reason == Reason.INVITED:
            return _("Somebody has just invited this address. Nothing more was sent.")
        return _("Nothing was sent: %(reason)s.") % {"reason": reason.label}

    def log_addition(self, request: HttpRequest, obj: Invite, message: Any) -> Any:
        """Writes the desk's log, unless nobody was invited."""
        return super().log_addition(request, obj, message) if obj.pk else None

    def response_add(self, request: HttpRequest, obj: Invite, post_url_continue: str | None = None) -> HttpResponse:
        """Leads to the page of the pending invitation or, if there is none or it may not be seen, to the list."""
        if obj.pk is None or not self.has_view_permission(request):
            return redirect("admin:invites_invite_changelist" if self.has_view_permission(request) else "admin:index")
        return redirect("admin:invites_invite_change", obj.pk)

    def has_change_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False


def readable(email: str) -> str:
    """Returns the address with its domain in Unicode, and as stored in the tooltip, if it is stored in ASCII (IDNA)."""
    read = addresses.readable(email)
    return email if read == email else format_html('<span title="{}">{}</span>', email, read)


def delivery_in_words(mail: OutboxMessage | None) -> str:
    """Returns the status of a mail, with the number of tries if it took several; "" for None."""
    label = str(mail.status.label) if mail else ""
    if mail is None or mail.attempts < 2:
        return label
    return _("%(status)s, tries: %(tries)s") % {"status": label, "tries": mail.attempts}


def list_link(query: str, words: str) -> str:
    """Returns an HTML link to the list of invitations with this query."""
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:invites_invite_changelist"), query, words)
