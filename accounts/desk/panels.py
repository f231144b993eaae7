"""What the desk's page of a person shows beside the facts: their sessions and their newest events."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.desk_offers import NEWEST, Panel
from accounts.models import Event, User
from accounts.models.event import FAILURES
from accounts.sentences import read_names, sentence
from kit.times import brief_html

INVITING = (Event.Kind.INVITED, Event.Kind.RESENT, Event.Kind.EXTENDED, Event.Kind.REVOKED)
BAD = {*FAILURES, Event.Kind.DISOWNED}


def sessions_panel(person: User) -> Panel:
    """Returns the panel of the person's newest live sessions, with a button to end each.

    The button posts the session's handle: its key is as good as a password, and must not be shown.
    """
    sessions = list(person.sessions.live().order_by("-created_at")[:NEWEST])
    return Panel(
        "sessions",
        _("Signed in on"),
        [_("Device and address"), _("Signed in"), _("Ends")],
        [
            [place(row.device_or_unknown, row.ip), brief_html(row.created_at), brief_html(row.expire_date)]
            for row in sessions
        ],
        button_values=[row.handle for row in sessions],
        action=reverse("admin:accounts_user_end_session", args=[person.pk]),
        button=_("End"),
        button_in_full=_("End session"),
    )


def place(device: str, ip: str | None) -> str:
    """Returns a device and an IP address, of which either may be unknown, in one line."""
    return ", ".join(filter(None, (device, ip)))


@dataclass
class Moment:
    """A line of a person's history: what happened, when in HTML, where, and how the line looks ("bad" or "")."""

    what: str
    when: str
    place: str
    look: str


@dataclass
class History:
    """The newest events of a person, and the URL of the list of all."""

    moments: list[Moment]
    more: str


def history(request: HttpRequest, person: User) -> History | None:
    """Returns the person's newest events in sentences; None if the visitor may not read the history.

    It leaves out the kinds in INVITING: for a person who has invited a thousand others, it would show nothing else.
    """
    if not request.user.has_perm("accounts.view_event"):
        return None
    events = list(person.events.select_related("user").exclude(kind__in=INVITING).order_by("-id")[:NEWEST])
    read_names(events)
    moments = [
        Moment(
            sentence(event),
            brief_html(event.at),
            place(event.device_name, event.ip),
            "bad" if event.kind in BAD else "",
        )
        for event in events
    ]
    query = urlencode({"q": person.username})
    return History(moments, f"{reverse('admin:accounts_event_changelist')}?{query}")
