"""Guards of JSON doors for signed-in users, and the answers that say who is signed in."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.session import pending, sessions
from accounts.session.account_page import changing, required
from accounts.session.notes import HANDLE
from kit.json_door import Refused, refusal

View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Returns a view that hands `view` a PersonRequest, and answers 401 to anyone who is not signed in."""
    return required(view, signed_out)


def changes(view: View) -> View:
    """Returns a view guarded as by signed_in(), whose requests count towards CHANGE_PER_USER.

    Only requests that may change something count. The view raises Limited once there are too many.
    """
    return signed_in(changing(view))


def signed_out(request: HttpRequest, *, ended: bool) -> HttpResponse:
    """Returns the 401 that names the missing step: the code, or signing in.

    `ended` says that the visitor came with the cookie of a session that has ended.
    """
    found = missing_step(request)
    if found.code == "signed_out" and ended:
        found = Refused(401, "signed_out", _("Your session has ended. Sign in to carry on."))
    return refusal(found)


def who(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """Returns in JSON who is signed in, until when, and `more`; 401 if nobody is.

    Either answer holds the CSRF token, without which nothing can be changed.
    """
    token = get_token(request)
    if not request.user.is_authenticated:
        return refusal(missing_step(request), csrf_token=token)
    user = {name: str(getattr(request.user, name)) for name in ("id", "username", "email")}
    session = {"id": request.session.get(HANDLE, ""), "ends_at": sessions.ends_at(request)}
    return JsonResponse({"user": user, "session": session, "csrf_token": token, **more}, status=status)


def missing_step(request: HttpRequest) -> Refused:
    """Returns the 401 for a visitor without a session, to be raised or answered.

    It asks for the code, and names its address as `next`, if a sign-in waits for one; else for signing in.
    """
    waiting = pending.find(request)
    if waiting and waiting.user:
        said = _("Enter the code from your authenticator app, or a recovery code.")
        return Refused(401, "second_factor", said, next=reverse("api_login_code"))
    return Refused(401, "signed_out", _("Sign in first."))
