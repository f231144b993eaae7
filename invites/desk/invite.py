"""Invitations at the desk: all of them, in any state. No page shows a token or a link."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
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
from invites.desk.invite_page import InvitePage
from invites.models import Invite
from kit import addresses
from kit.long_list import ago, exact
from outbox.models import OutboxMessage


@admin.register(Invite)
class InviteAdmin(InvitePage, Steering):
    """The admin of invitations: the list. InvitePage has the page of one."""

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
        """Leads to the form that invites one person or many, with the query, such as "email"."""
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(f"{reverse('admin:invites_batch_add')}{query}")

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
