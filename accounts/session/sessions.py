"""Sessions: over 12 hours after sign-in whatever happens. Kept by accounts.session.store.

What starts a session is `start`, what ends one is `end`; ending all of a user's is User.end_sessions.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, cast

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, get_user_model, logout, update_session_auth_hash, user_logged_in
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import limits, notices, preferences
from accounts.models import ConnectedElsewhere, Event, Superseded, User
from accounts.session import devices
from accounts.session.notes import GOOGLE_IDENTITY
from accounts.session.store import DEADLINE
from kit import rate_limit, visitor

View = Callable[..., HttpResponseBase]

NEEDED = gettext_noop("Sign in to open that page.")
ENDED = gettext_noop("Your session has ended, so we signed you out. Sign in to carry on.")
LOST = gettext_noop("Your session had ended, so nothing was changed. If you pressed twice, the first press counts.")

# In a session's data.
CHOSEN = "chosen"  # what pages follow of the user's settings, so that knowing it costs no query

PROVEN = "proven"  # when somebody has last shown to be the owner, in seconds since the epoch
ENTERING = "entering"  # how somebody is getting in, until the second factor is through

# How somebody got in, as the history says it.
PASSWORD, LINK, SIGNUP, GOOGLE = "password", "link", "signup", "google"

PROOF_LIFETIME = timedelta(minutes=15)  # how long somebody need not show again to be the owner
LAST_HOUR = timedelta(hours=1)  # in which a session can be prolonged


def start(request: HttpRequest, user: User, next_url: str = "", way: str = "") -> HttpResponse:
    """Signs somebody in, through allauth's stages, and answers with the way on.

    The session's id is new: one that was planted before sign-in is worth nothing.
    """
    if SESSION_KEY in request.session and request.user != user:
        logout(request)
    elif SESSION_KEY in request.session:  # somebody who proves to be the same again; Django would keep the id then
        request.session.cycle_key()
    request.session[ENTERING] = {"way": way, "epoch": user.session_epoch}
    try:
        # Never None: allauth would then read a `next` of its own from the request.
        return perform_login(request, user, redirect_url=next_url or resolve_url(settings.LOGIN_REDIRECT_URL))
    except DatabaseError:
        if User.objects.filter(pk=user.pk).exists():
            raise
        request.session.flush()  # the account was deleted while this was under way
        request.user = AnonymousUser()
        return to_sign_in(request, ended=True)


def to_sign_in(request: HttpRequest, *, ended: bool) -> HttpResponse:
    """Sends somebody to sign in and back, and says why."""
    lost = ended and request.method == "POST"
    messages.info(request, _(LOST if lost else ENDED if ended else NEEDED))
    return redirect_to_login(request.get_full_path())


def required(view: View, refuse: Callable[..., HttpResponse] = to_sign_in) -> View:
    """For views of somebody signed in; `refuse` answers anyone else."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return refuse(request, ended=settings.SESSION_COOKIE_NAME in request.COOKIES)
        person = request.user.pk  # the view may sign them out
        try:
            follow(request)
            return view(request, *args, **kwargs)
        except (Superseded, UpdateError):  # on another device, while this was under way
            pass
        except DatabaseError:  # because the account was deleted meanwhile, or for another reason
            if User.objects.filter(pk=person).exists():
                raise
        logout(request)
        return refuse(request, ended=True)

    return wrapper


def follow(request: HttpRequest) -> None:
    """Makes pages follow what was chosen, perhaps on another device since this session last looked."""
    chosen = preferences.followed(cast("User", request.user).settings)
    if request.session.get(CHOSEN) != chosen:
        request.session[CHOSEN] = chosen
        preferences.activate(chosen)


def hear_sign_ins() -> None:
    """Called once at start: every sign-in, by whichever door, is stamped."""
    user_logged_in.connect(_stamp, sender=get_user_model(), dispatch_uid="accounts.session.sessions")


def _stamp(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Notes when and where a session began, in it and in the history, and tells the owner of a new device."""
    now, trace = round(time.time(), 3), visitor.trace(request)
    way = request.session.pop(ENTERING, {}).get("way", "")
    request.session.update(trace)
    request.session[DEADLINE] = now + settings.SESSION_COOKIE_AGE
    request.session["began"] = now
    # What pages call it, through all changes of its id: the id itself is as good as a password.
    request.session.setdefault("handle", new_handle())
    request.session[CHOSEN] = preferences.followed(user.settings)
    if way == LINK:
        prove(request)
    with transaction.atomic():
        event = Event.objects.record(Event.Kind.SIGNED_IN, user, told=user.email, way=way, **trace)
        if way != SIGNUP and user.settings.get("notices", True) and not devices.known(request, user):
            report(request, event)
    connect_google(request, user)
    devices.recognize(request, user)


def new_handle() -> str:
    return secrets.token_hex(16)


def connect_google(request: HttpRequest, user: User) -> None:
    """Connects the Google account that somebody came with before, if this is whose address it named."""
    seen = GOOGLE_IDENTITY.drop(request)
    if seen and seen["to_connect"] and seen["email"] == user.email:
        try:
            if user.google.connect(seen["uid"], seen["email"], **visitor.trace(request)):
                messages.success(request, _("Google is connected."))
        except (ConnectedElsewhere, Superseded):
            messages.warning(request, _("Google was not connected. Nothing has changed."))


def report(request: HttpRequest, event: Event) -> None:
    """Tells the owner of a sign-in on a new device; not for ever, if somebody makes sport of it."""
    with suppress(rate_limit.Limited):
        limits.NEW_DEVICES_PER_USER.check(request, str(event.user_id))
        notices.tell(event)


def prove(request: HttpRequest) -> None:
    """Notes that somebody has shown to be the owner: by coming in by a mailed link, or by their password again."""
    request.session[PROVEN] = time.time()


def is_proven(request: HttpRequest) -> bool:
    """Whether that was so short a time ago that nothing asks for the password, at whichever door."""
    return time.time() < request.session.get(PROVEN, 0) + PROOF_LIFETIME.total_seconds()


def ends_at(request: HttpRequest) -> datetime:
    return datetime.fromtimestamp(request.session.get(DEADLINE, 0), UTC)


def prolong(request: HttpRequest) -> None:
    """Twelve more hours, by pressing a button (WCAG 2.2.1), under a new id. Raises Superseded."""
    request.session.take_new_key()  # type: ignore[attr-defined]
    request.session[DEADLINE] = round(time.time(), 3) + settings.SESSION_COOKIE_AGE


def keep(request: HttpRequest, user: User) -> None:
    """Starts this session anew after all of the user's have ended, as after a new password."""
    request.session[PROVEN] = 0  # what proved it was for that one change
    request.session["handle"] = new_handle()  # other services have heard that all ended, this one too
    update_session_auth_hash(request, user)
    devices.recognize(request, user)


def end(request: HttpRequest) -> None:
    """Signs out on this device only."""
    logout(request)
