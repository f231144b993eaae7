"""The tabs of the desk: its parts, each for whoever may see one of its pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# Each tab: its label, the apps whose pages belong to it, and its pages with the permission that each asks for. It leads
# to the first page that the person may see.
TABS: list[tuple[Any, tuple[str, ...], list[tuple[str, str]]]] = [
    (
        _("Invitations"),
        ("invites",),
        [
            ("invites_invite_changelist", "invites.view_invite"),
            ("invites_batch_changelist", "invites.add_invite"),
        ],
    ),
    (
        _("People"),
        ("accounts", "auth"),
        [
            ("accounts_user_changelist", "accounts.view_user"),
            ("auth_group_changelist", "auth.view_group"),
            ("accounts_event_changelist", "accounts.view_event"),
        ],
    ),
    (
        _("Mail"),
        ("outbox",),
        [
            ("outbox_outboxmessage_changelist", "outbox.view_outboxmessage"),
            ("outbox_suppression_changelist", "outbox.view_suppression"),
            ("outbox_webhook_changelist", "outbox.view_webhook"),
        ],
    ),
    (_("Apps"), ("sso",), [("sso_app_changelist", "sso.view_app")]),
]


@dataclass
class Tab:
    """A tab as the page shows it. Its own page is open (`is_page`), or another page of its part (`is_current`)."""

    label: Any
    url: str
    is_current: bool
    is_page: bool


def tabs(request: HttpRequest) -> Iterator[Tab]:
    """Yields the tabs of the desk that this member of staff may see, the desk's home first."""
    home = reverse("admin:index")
    yield Tab(_("Home"), home, is_current=request.path == home, is_page=request.path == home)
    for label, apps, pages in TABS:
        urls = [reverse(f"admin:{name}") for name, permission in pages if request.user.has_perm(permission)]
        if urls:
            is_current = request.path.startswith(tuple(f"{home}{app}/" for app in apps))
            yield Tab(label, urls[0], is_current=is_current, is_page=request.path == urls[0])
