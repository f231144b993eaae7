"""The desk's panels under a person: their sessions, their Google account and their newest events."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.desk_offers import NEWEST, Panel
from accounts.models import Event, User
from kit.long_list import exact

INVITING = (Event.Kind.INVITED, Event.Kind.RESENT, Event.Kind.EXTENDED, Event.Kind.REVOKED)


def sessions_panel(request: HttpRequest, person: User) -> Panel:
    """Returns the panel of the person's newest live sessions, with a button to end each.

    The button posts the session's handle: its key is as good as a password, and must not be shown.
    """
    sessions = list(person.sessions.live().order_by("-created_at")[:NEWEST])
    return Panel(
        "sessions",
        _("Sessions"),
        [_("device"), _("IP address"), _("started"), _("ends")],
        [[row.device_name, row.ip, exact(row.created_at), exact(row.expire_date)] for row in sessions],
        button_values=[row.handle for row in sessions],
        action=reverse("admin:accounts_user_end_session", args=[person.pk]),
        button=_("End session"),
    )


def google_panel(request: HttpRequest, person: User) -> Panel:
    """Returns the panel of the person's Google account: its address, and when it was connected and last used."""
    accounts: Any = person.socialaccount_set.order_by("-id")[:NEWEST]  # type: ignore[attr-defined]
    rows = [[row.extra_data.get("email", ""), exact(row.date_joined), exact(row.last_login)] for row in accounts]
    return Panel("google", "Google", [_("email address"), _("connected"), _("last used")], rows)


def events_panel(request: HttpRequest, person: User) -> Panel | None:
    """Returns the panel of the person's newest events; None if the visitor may not read the history.

    It leaves out the kinds in INVITING, and leads to the list of all events of the person.
    """
    if not request.user.has_perm("accounts.view_event"):
        return None
    # For a person who has invited a thousand others, the panel would show nothing else.
    events = person.events.exclude(kind__in=INVITING).order_by("-id")[:NEWEST]
    columns = [_("when"), _("what"), _("IP address"), _("device")]
    rows = [[exact(row.at), row.get_kind_display(), row.ip, row.device_name] for row in events]
    more = f"{reverse('admin:accounts_event_changelist')}?q={person.username}"
    return Panel("history", _("Security history"), columns, rows, more=more)
