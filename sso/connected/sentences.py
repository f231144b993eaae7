"""What is said after an app was disconnected."""

from django.utils.translation import gettext as _

from sso.models import App


def disconnected(app: App) -> str:
    """Returns the message for somebody who has disconnected an app."""
    if app.logout_uri:
        return _("%(app)s is disconnected, and is told to sign you out.") % {"app": app.name}
    return _("%(app)s is disconnected. Sign out there, too: it may keep you signed in for a while.") % {"app": app.name}
