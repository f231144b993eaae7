"""Invitations at the desk: all of them, in any state. No page shows a token or a link."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from invites import state_in_words
from invites.desk.filters import (
    AppFilter,
    BatchFilter,
    CreatedFilter,
    InviterFilter,
    LanguageFilter,
    SourceFilter,
    StateChips,
)
from invites.desk.invite_page import InvitePage
from invites.models import Invite, InviteGroup
from invites.models.states import SOON
from kit import addresses
from kit.list_filter import GroupFilter
from kit.times import brief_html
from outbox import replies_in_words
from outbox.models import OutboxMessage


@admin.register(Invite)
class InviteAdmin(InvitePage):
    """The admin of invitations: the list. InvitePage has the page of one."""

    list_display = ("address", "name", "state_tag", "delivery", "opened", "end", "inviter", "into")
    list_filter = (
        StateChips,
        GroupFilter,
        AppFilter,
        BatchFilter,
        CreatedFilter,
        SourceFilter,
        LanguageFilter,
        InviterFilter,
    )
    list_select_related = ("invited_by", "app__client")
    sortable_by = ("address", "name", "opened", "end", "inviter")
    indexed = ("address", "end")

    @admin.display(description=gettext_lazy("address"), ordering="email")
    def address(self, invite: Invite) -> str:
        return readable(invite.email)

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, invite: Invite) -> str:
        return state_in_words.tag(invite)

    @admin.display(description=gettext_lazy("delivery"))
    def delivery(self, invite: Invite) -> str:
        return replies_in_words.delivery(invite.newest_mail) if invite.newest_mail else ""

    @admin.display(description=gettext_lazy("opened"), ordering="-opened_at")
    def opened(self, invite: Invite) -> str:
        return brief_html(invite.opened_at) if invite.opened_at else ""

    @admin.display(description=gettext_lazy("ends"), ordering="expires_at")
    def end(self, invite: Invite) -> str:
        """Returns when the invitation ends or has ended, in a tag if that is within SOON; "" if it was answered."""
        if invite.state not in {Invite.State.PENDING, Invite.State.EXPIRED}:
            return ""
        when = brief_html(invite.expires_at)
        is_near = not invite.is_expired and invite.expires_at <= timezone.now() + SOON
        return format_html('<span class="tag warn">{}</span>', when) if is_near else when

    @admin.display(description=gettext_lazy("invited by"), ordering="invited_by__username")
    def inviter(self, invite: Invite) -> str:
        if invite.invited_by is None:
            return ""
        query = urlencode({InviterFilter.parameter_name: invite.invited_by_id})
        return list_link(query, invite.invited_by.shown_name)

    @admin.display(description=gettext_lazy("group or app"))
    def into(self, invite: Invite) -> str:
        return ", ".join([*([invite.app.name] if invite.app else []), *invite.group_names])

    def complete(self, rows: Any) -> None:
        OutboxMessage.objects.attach_newest(rows)
        self.attach_groups(rows)

    def attach_groups(self, rows: Any) -> None:
        """Sets the names of the groups that each of these invitations leads into, in one statement."""
        led = {invite.pk: invite for invite in rows}
        for invite in led.values():
            invite.group_names = []
        named = InviteGroup.objects.filter(invite__in=led).order_by("group__name")
        for key, name in named.values_list("invite", "group__name"):
            led[key].group_names.append(name)

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


def list_link(query: str, words: str) -> str:
    """Returns an HTML link to the list of invitations with this query."""
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:invites_invite_changelist"), query, words)
