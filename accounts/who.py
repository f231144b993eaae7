"""Who is signed in, as JSON doors ask and answer it."""

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
    """A guard: hands a PersonRequest to a view; anyone who is not signed in is told so."""
    return required(view, signed_out)


def changes(view: View) -> View:
    """A guard as `signed_in`, for what counts towards CHANGE_PER_USER."""
    return signed_in(changing(view))


def signed_out(request: HttpRequest, *, ended: bool) -> HttpResponse:
    found = missing(request)
    if found.code == "signed_out" and ended:
        found = Refused(401, "signed_out", _("Your session has ended. Sign in to carry on."))
    return refusal(found)


def who(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """Who is signed in, until when; or 401. Either way the token that changing anything takes (CSRF)."""
    token = get_token(request)
    if not request.user.is_authenticated:
        return refusal(missing(request), csrf_token=token)
    user = {name: str(getattr(request.user, name)) for name in ("id", "username", "email")}
    session = {"id": request.session.get(HANDLE, ""), "ends_at": sessions.ends_at(request)}
    return JsonResponse({"user": user, "session": session, "csrf_token": token, **more}, status=status)


def missing(request: HttpRequest) -> Refused:
    """What stands between somebody and a session, and for a code the address that takes it."""
    waiting = pending.waiting(request)
    if waiting and waiting.user:
        said = _("Enter the code from your authenticator app, or a recovery code.")
        return Refused(401, "second_factor", said, next=reverse("api_login_code"))
    return Refused(401, "signed_out", _("Sign in first."))
