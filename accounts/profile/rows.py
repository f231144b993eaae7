"""The rows of the account page: sessions and events, up to a hundred and more."""

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import Event, Session
from accounts.sentences import joined_groups
from kit.prepared_html import PreparedHtml
from kit.times import iso, on, until

ABOUT_APPS = (
    *(Event.Kind.APP_AGREED, Event.Kind.APP_SIGNED_IN, Event.Kind.APP_DISCONNECTED),
    *(Event.Kind.APP_ASKED, Event.Kind.APP_DECLINED),
)
SESSION = PreparedHtml(
    "accounts/profile/session.html",
    *("device", "began", "when", "ends", "until", "ip", "handle", "csrf_token"),
)
EVENT = PreparedHtml("accounts/profile/event.html", "kind", "at", "when", "site", "device", "ip", "inviter")


def session_row(session: Session, this: str, csrf_token: str) -> SafeString:
    """Returns the row of a session, with a button that ends it unless it is the one that is stored as `this`."""
    values = {
        "device": session.device_or_unknown,
        "began": iso(session.created_at),
        "when": on(session.created_at),
        "ends": iso(session.expire_date),
        "until": until(session.expire_date),
        "ip": session.ip or "",
        "handle": session.handle,
        "csrf_token": csrf_token,
    }
    is_mobile = "iOS" in session.device or "Android" in session.device
    return SESSION.fill(values, is_mobile=is_mobile, is_this=session.session_key == this, has_ip=bool(session.ip))


def event_row(event: Event) -> SafeString:
    """Returns the row of an event: what was done, when, and on which device, or that staff did it.

    Whoever joined groups by an invitation has done that by their own press: the row says who invited them.
    """
    joined = joined_groups(event)
    inviter = str(event.detail.get("staff", "")) if joined else ""
    values = {
        "kind": _("Joined %(groups)s") % {"groups": ", ".join(joined)} if joined else what_was_done(event),
        "at": iso(event.at),
        "when": on(event.at),
        "site": settings.SITE_NAME,
        "device": event.device_name or _("Unknown device"),
        "ip": event.ip or "",
        "inviter": inviter,
    }
    by_staff = bool(event.detail.get("by")) and not joined
    return EVENT.fill(values, by_staff=by_staff, is_invited=bool(inviter), has_place=not joined, has_ip=bool(event.ip))


def what_was_done(event: Event) -> str:
    """Returns what an event is, as its owner reads it: with the name of the app, if it is about one."""
    name = event.detail.get("app") if event.kind in ABOUT_APPS else None
    return f"{event.get_kind_display()}: {name}" if name else event.get_kind_display()
