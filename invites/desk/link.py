"""Sign-in links at the desk: a list, to read only, of the links that people asked for. It shows no token."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from invites.desk.invite import readable
from invites.models import MagicLink
from kit.list_filter import Chips
from kit.long_list import LongList, ReadOnly
from kit.times import brief_html
from outbox import replies_in_words
from outbox.models import OutboxMessage


class UseChips(Chips):
    """The quick filters, by use and end. The state has no index: it may depend on another link or invitation."""

    title = _("use")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("used", _("Used")), ("running", _("Unused, still running")), ("over", _("Unused, run out"))]

    def rows_of(self, queryset: Any, value: str) -> Any:
        if value == "used":
            return queryset.filter(used_at__isnull=False)
        now = timezone.now()
        return queryset.unused().filter(**{"expires_at__gt" if value == "running" else "expires_at__lte": now})


@admin.register(MagicLink)
class MagicLinkAdmin(ReadOnly, LongList):
    """The admin list of magic links, for anyone who may view invitations."""

    lede = _("Links that people asked for, to sign in, to sign up or for a new password. None is an invitation.")
    list_display = ("address", "purpose", "state_tag", "delivery", "sent")
    list_display_links = None
    list_filter = (UseChips,)
    list_select_related = ("invite",)
    search_fields = ("email__exact",)
    search_help_text = _("A whole address")
    actions = None

    @admin.display(description=_("address"))
    def address(self, link: MagicLink) -> str:
        return readable(link.email)

    @admin.display(description=_("state"))
    def state_tag(self, link: MagicLink) -> str:
        return format_html('<span class="tag">{}</span>', link.state.label)

    @admin.display(description=_("delivery"))
    def delivery(self, link: MagicLink) -> str:
        return replies_in_words.delivery(link.newest_mail) if link.newest_mail else ""

    @admin.display(description=_("last sent"))
    def sent(self, link: MagicLink) -> str:
        return brief_html(link.sent_at)

    def get_urls(self) -> list[URLPattern]:
        """Returns the URL of the list. A link has no page of its own: that would show the account planned with it."""
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="invites_magiclink_changelist")]

    def complete(self, rows: Any) -> None:
        OutboxMessage.objects.attach_newest(rows)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Returns the links that people asked for and that still hold an address, without any planned account.

        Owner links are for superusers only. Own links of invitations are left out: the list of invitations has these.
        """
        rows = MagicLink.objects.asked_for().exclude(email="").with_spent().order_by("-id")
        if not request.user.is_superuser:
            rows = rows.exclude(purpose=MagicLink.Purpose.OWNER)
        return rows.defer("username", "password", "seal", "used_in")

    def has_view_permission(self, request: HttpRequest, obj: MagicLink | None = None) -> bool:
        return request.user.has_perm("invites.view_invite")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
