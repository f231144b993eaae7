"""The tabs of the desk: its parts, each for whoever may see one of its pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# Each tab: its label, the paths below the desk's home whose pages belong to it, and its pages with the permission that
# each asks for. It leads to the first page that the person may see. Of two paths, the longer one says whose a page is.
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
    (_("Requests"), ("invites/joinrequest",), [("invites_joinrequest_changelist", "invites.add_invite")]),
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
    here = max(
        (path for _label, paths, _pages in TABS for path in paths if leads_to(path, request)), key=len, default=""
    )
    for label, paths, pages in TABS:
        urls = [reverse(f"admin:{name}") for name, permission in pages if request.user.has_perm(permission)]
        if urls:
            yield Tab(label, urls[0], is_current=here in paths, is_page=request.path == urls[0])


def leads_to(path: str, request: HttpRequest) -> bool:
    """Returns whether the page of the request lies in this path below the desk's home."""
    return request.path.startswith(f"{reverse('admin:index')}{path}/")
