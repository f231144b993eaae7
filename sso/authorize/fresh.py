"""Whether somebody has shown lately enough who they are, where an app wants that (prompt=login, max_age)."""

import hashlib
import time
from datetime import timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.session import arrival
from kit.session_notes import Note
from sso.authorize.asked import Asked

# That the person was sent to show who they are, for which request (a hash), and when. Without it, who takes the
# parameter out of the address, or has shown it before, would pass.
SENT = Note("app_asks_again", timedelta(minutes=15))


def is_fresh(request: HttpRequest, asked: Asked) -> bool:
    """Returns whether the signed-in person has shown who they are as late as the app wants it."""
    shown_at = arrival.read(request).shown_at
    too_old = asked.max_age is not None and time.time() - shown_at > asked.max_age
    if "login" not in asked.prompts and not too_old:
        return True
    sent = SENT.read(request)
    return bool(sent) and sent["asked"] == digest(asked) and shown_at >= sent["at"]


def note(request: HttpRequest, asked: Asked) -> None:
    """Notes that the person is sent to show who they are, for this request, from now on."""
    SENT.keep(request, asked=digest(asked), at=round(time.time(), 3))


def send(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Redirects to the page "Is it still you?", which leads back here."""
    note(request, asked)
    return redirect(f"{reverse('account_login_again')}?{urlencode({'next': asked.path})}")


def forget(request: HttpRequest) -> None:
    """Forgets that the person was sent: the next request of the same words asks anew."""
    if SENT.key in request.session:
        SENT.drop(request)


def digest(asked: Asked) -> str:
    """Returns a hash that tells this request from all others."""
    return hashlib.sha256(asked.query.encode()).hexdigest()
