"""Where answers to an app may go: its registered addresses, compared exactly."""

import re

from django.http import HttpResponse
from django.utils.encoding import iri_to_uri

from kit.onward import NO_PLACES, name_place
from sso.models import App

# Programs on somebody's own machine listen where a port is free (RFC 8252 §7.3).
LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?].*)?)")


def is_registered(app: App, uri: str) -> bool:
    """Returns whether `uri` is an address of the app: the very same text, so no other path, query, case or port.

    Of a public app, any port of 127.0.0.1 or [::1] will do, as the program can't know it before.
    """
    if uri.partition(":")[0].lower() in NO_PLACES:  # whatever is registered
        return False
    registered = app.client.get_redirect_uris()
    if uri in registered:
        return True
    here = without_port(uri) if app.is_public else None
    return here is not None and here in map(without_port, registered)


def any_program_can_take(app: App, uri: str) -> bool:
    """Returns whether other programs on the person's machine can get what is sent to this address of the app.

    Whoever listens on the port, or has claimed the scheme, gets it, and the app has no secret: so nobody knows that it
    is the app that asks (RFC 8252 §8.6).
    """
    return app.is_public and not uri.startswith("https:")


def without_port(uri: str) -> tuple[str, ...] | None:
    """Returns an address of this machine's loopback as host and the rest, without its port; None for any other."""
    found = LOOPBACK.fullmatch(uri)
    return found.groups() if found else None


def to_app(uri: str, app: App) -> HttpResponse:
    """Redirects to an address of the app, which may have a scheme of its own, such as com.example.app."""
    response = HttpResponse(status=302)
    name_place(response, app.name)
    response["Location"] = iri_to_uri(uri)
    return response
