"""What the account page shows of an account: the ways in, the sessions and the newest events."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from accounts import profile_fields
from accounts.models import User
from accounts.profile import sections
from kit.addresses import readable
from kit.prepared_html import PreparedHtml
from kit.times import on

OVERVIEW = PreparedHtml(
    "accounts/profile/overview.html",
    *("email", "moving_to", "name", "details", "username", "password_changed", "app_since", "connected"),
    *("sessions", "events", "more", "site", "csrf_token"),
)


DETAIL = PreparedHtml("accounts/profile/detail.html", "label", "value")


def details(user: User) -> list[SafeString]:
    """Returns a row for each field that the site asks about people (PROFILE_FIELDS)."""
    held = profile_fields.held(user)
    return [
        DETAIL.fill({"label": field.label, "value": field.shown(held[field.name])}, is_given=bool(held[field.name]))
        for field in profile_fields.own()
    ]


def overview(
    user: User, *, sessions: Iterable[SafeString], events: Iterable[SafeString], moving_to: str, csrf_token: str
) -> SafeString:
    """Returns the content of the account page. `sessions` and `events` are the rows of its lists.

    `moving_to` is the address of a change that waits for its code, or "". Costs two statements, and those of the
    sections of higher rooms.
    """
    connected, app, changed = user.google.email, user.second_factor.app, user.password_changed_at
    values = {
        "email": readable(user.email),
        "moving_to": readable(moving_to),
        "name": user.name,
        "details": mark_safe("\n".join(details(user))),  # noqa: S308 escaped
        "username": user.username,
        "password_changed": on(changed) if changed else "",
        "app_since": on(app.created_at) if app else "",
        "connected": readable(connected),
        "sessions": mark_safe("\n".join(sessions)),  # noqa: S308 rows that are escaped
        "events": mark_safe("\n".join(events)),  # noqa: S308
        "more": mark_safe("\n".join(sections.shown(user, csrf_token))),  # noqa: S308
        "site": settings.SITE_NAME,
        "csrf_token": csrf_token,
    }
    return OVERVIEW.fill(
        values,
        has_name=bool(user.name),
        is_moving=bool(moving_to),
        has_password=user.has_usable_password(),
        has_changed=bool(changed),
        has_app=bool(app),
        is_connected=bool(connected),
        google=bool(settings.GOOGLE_CLIENT_ID),
        members_invite=settings.MEMBERS_INVITE,
    )
