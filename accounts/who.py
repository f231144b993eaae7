"""Guards of JSON doors for signed-in users, and the answers that say who is signed in."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import asking
from accounts.session import coming_back, pending, sessions
from accounts.session.account_page import changing, for_person
from accounts.session.notes import HANDLE
from kit.json_door import Refused, refusal
from kit.times import day

View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Returns a view that hands `view` a PersonRequest, and answers 401 to anyone who is not signed in.

    It also answers 401 if the session ends, or the account is deleted, while `view` runs.
    """
    return for_person(view, signed_out)


def changes(view: View) -> View:
    """Returns a view that hands `view` a PersonRequest, answers 401 as signed_in() does, and limits changes.

    Requests that may change something (all but GET, HEAD and OPTIONS) count by person; it raises Limited after more
    than CHANGE_PER_USER allows.
    """
    return signed_in(changing(view))


def signed_out(request: HttpRequest, *, ended: bool) -> HttpResponse:
    """Returns the 401, in JSON, that names the missing step: the code, or signing in.

    `ended` says that the visitor came with the cookie of a session that has ended; if no sign-in waits for its code,
    the message says so.
    """
    found = missing_step(request)
    if found.code == "signed_out" and ended:
        found = Refused(401, "signed_out", _("Your session has ended. Sign in to carry on."))
    return refusal(found)


def who(request: HttpRequest, status: int = 200, *, groups: bool = False, **more: Any) -> HttpResponse:
    """Returns in JSON who is signed in and until when, with `status` and further members `more`; 401 if nobody is.

    `asked` in it names what the site must still ask of them (accounts/asking.py). With `groups` it names those of the
    user, which costs one statement more. Either answer holds the CSRF token, without which nothing can be changed.
    """
    token = get_token(request)
    if not request.user.is_authenticated:
        return refusal(missing_step(request), csrf_token=token)
    user: dict[str, Any] = {name: str(getattr(request.user, name)) for name in ("id", "username", "name", "email")}
    if groups:
        user["groups"] = sorted(request.user.group_names)
    session = {"id": request.session.get(HANDLE, ""), "ends_at": sessions.ends_at(request)}
    asked = asking.missing(request.user)
    return JsonResponse({"user": user, "session": session, "asked": asked, "csrf_token": token, **more}, status=status)


def missing_step(request: HttpRequest) -> Refused:
    """Returns the 401 for a visitor who is not signed in, for the caller to raise or to answer with.

    If a sign-in waits for its code, it asks for the code, and its `next` is the address of the JSON door that takes it.
    If it waits for the owner to keep an account that they have left, it asks for that. Else it asks for signing in.
    """
    waiting = pending.find(request)
    if waiting and waiting.user:
        said = _("Enter the code from your authenticator app, or a recovery code.")
        return Refused(401, "second_factor", said, next=reverse("api_login_code"))
    back = coming_back.find(request)
    if back and back.user.leaves_at:
        said = _("Your account is to be deleted on %(day)s. Keep it to sign in.")
        return Refused(401, "leaving", said % {"day": day(back.user.leaves_at)}, next=reverse("api_keep"))
    return Refused(401, "signed_out", _("Sign in first."))
