"""The section of the account page that lists the apps to which somebody is connected."""

from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from kit.prepared_html import PreparedHtml
from kit.times import brief, iso
from sso.connected import connections
from sso.connected.connections import Connection
from sso.launch.tiles import colour, letter

SECTION = PreparedHtml("sso/connected/section.html", "rows")
ROW = PreparedHtml(
    "sso/connected/row.html", "pk", "name", "letter", "colour", "since", "since_in_words", "used", "csrf_token"
)


def section(user: User, csrf_token: str) -> SafeString:
    """Returns the section with the apps to which the user is connected; "" if there are none. Costs one statement."""
    rows = [row(connection, csrf_token) for connection in connections.list_of(user)]
    return SECTION.fill({"rows": mark_safe("\n".join(rows))}) if rows else mark_safe("")  # noqa: S308 escaped


def row(connection: Connection, csrf_token: str) -> SafeString:
    """Returns the row of one app, with what it has learnt, and the button that disconnects it."""
    app = connection.app
    values = {
        "pk": app.pk,
        "name": app.name,
        "letter": letter(app.name),
        "colour": colour(app.pk),
        "since": iso(connection.since),
        "since_in_words": brief(connection.since),
        "used": brief(app.last_used) if app.last_used else "",
        "csrf_token": csrf_token,
    }
    return ROW.fill(
        values,
        has_used=bool(app.last_used),
        sees_name="profile" in connection.seen,
        sees_email="email" in connection.seen,
        sees_groups="groups" in connection.seen,
        keeps=not app.logout_uri,
    )
