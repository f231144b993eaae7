"""What is asked of staff before a page of the desk answers: were they here within the hour, and is it still them?"""

import time
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import asking
from accounts.password import again
from accounts.session import sessions
from accounts.session.account_page import for_person, to_sign_in
from accounts.session.notes import DEADLINE, DESK_SEEN
from kit.page import BY_ITSELF

if TYPE_CHECKING:
    from accounts.models import User

SAFE = ("GET", "HEAD", "OPTIONS")
NOTED = 60  # seconds for which one note that staff were here is enough: each writes the session's row


def end_if_idle(request: HttpRequest, _model_admin: Any) -> HttpResponse | None:
    """Ends a session that has not been used at the desk for DESK_IDLE_MINUTES, nor proven by its owner meanwhile.

    Returns the way to sign in again, which leads back to the page; None if the session goes on. An open desk on a
    screen that its owner has left is then worth nothing to others. A page that loads itself again is no use.
    """
    now, session = time.time(), request.session
    proven_at = session.get(DEADLINE, now) - settings.SESSION_COOKIE_AGE
    seen_at = max(session.get(DESK_SEEN, 0), proven_at)
    if now - seen_at > settings.DESK_IDLE_MINUTES * 60:
        sessions.end(request)
        messages.info(request, _("You had not used the desk for a while, so we signed you out. Sign in to carry on."))
        return redirect_to_login(request.get_full_path())
    if now - seen_at > NOTED and BY_ITSELF not in request.GET:
        session[DESK_SEEN] = now
    return None


def ask_what_is_missing(request: HttpRequest, _model_admin: Any) -> HttpResponse | None:
    """Returns a redirect to the page that asks staff for what the site must know; None if it has, and for a POST."""
    if request.method not in SAFE or not asking.is_asked(cast("User", request.user)):
        return None
    return redirect(sessions.to_gate(request.get_full_path()))


def ask_for_proof(request: HttpRequest, model_admin: Any) -> HttpResponse | None:
    """Returns the page that asks staff for proof before they change what gives power; None if it may be done.

    It asks before each POST to the pages of a model, unless its admin class has `asks_proof` and that says no. Sign-in
    counts as proof for 15 minutes. If the session has ended meanwhile, returns the way to sign in again.
    """
    if request.method in SAFE or model_admin is None:
        return None
    asks = getattr(model_admin, "asks_proof", None)
    if asks and not asks(request):
        return None
    rows = model_admin.opts
    doing = _("Change at the desk: %(rows)s") % {"rows": rows.verbose_name_plural}
    back = reverse(f"admin:{rows.app_label}_{rows.model_name}_changelist")
    return for_person(again.ask, to_sign_in)(request, doing, back)
