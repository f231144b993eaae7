"""What is shown under a person at the desk: where they are signed in, with which Google account, and what happened."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import times
from accounts.desk import NEWEST, Panel
from accounts.models import User


def sessions_panel(request: HttpRequest, person: User) -> Panel:
    """With a button for each, by its handle: its key is as good as a password."""
    sessions = list(person.sessions.live().order_by("-created_at")[:NEWEST])
    return Panel(
        "sessions",
        _("Sessions"),
        [_("device"), _("IP address"), _("started"), _("ends")],
        [[row.device_name, row.ip, times.on(row.created_at), times.on(row.expire_date)] for row in sessions],
        presses=[row.handle for row in sessions],
        action=reverse("admin:accounts_user_end_session", args=[person.pk]),
        button=_("End session"),
    )


def google_panel(request: HttpRequest, person: User) -> Panel:
    accounts: Any = person.socialaccount_set.order_by("-id")[:NEWEST]  # type: ignore[attr-defined]
    rows = [[row.extra_data.get("email", ""), times.on(row.date_joined), times.on(row.last_login)] for row in accounts]
    return Panel("google", "Google", [_("email address"), _("connected"), _("last used")], rows)


def events_panel(request: HttpRequest, person: User) -> Panel:
    events = person.events.order_by("-id")[:NEWEST]
    columns = [_("when"), _("what"), _("IP address"), _("device")]
    rows = [[times.on(row.at), row.get_kind_display(), row.ip, row.device_name] for row in events]
    more = f"{reverse('admin:accounts_event_changelist')}?q={person.username}"
    return Panel("history", _("Security history"), columns, rows, more=more)
