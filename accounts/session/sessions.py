"""Sessions: over 12 hours after sign-in whatever happens. Kept by accounts.session.store.

What starts a session is `start`, and behind a code `enter`; what ends one is `end`, and all of a user's
User.end_sessions.
"""

import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, login, logout, update_session_auth_hash
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import limits, notices, preferences
from accounts.models import ConnectedElsewhere, Event, Superseded, User
from accounts.session import devices, pending
from accounts.session.notes import BEGAN, CHOSEN, DEADLINE, GOOGLE_IDENTITY, HANDLE, PROVEN, SECOND_FACTOR
from kit import rate_limit, visitor

ENDED = gettext_noop("Your session has ended, so we signed you out. Sign in to carry on.")

# How somebody got in, as the history says it.
PASSWORD, LINK, SIGNUP, GOOGLE = "password", "link", "signup", "google"

LAST_HOUR = timedelta(hours=1)  # in which a session can be prolonged


def start(request: HttpRequest, user: User, next_url: str = "", way: str = "", *, new: bool = False) -> HttpResponse:
    """Signs in somebody who has shown the first factor, or has them wait for a code; answers with the way on.

    `way` is how they got in. `new` says that the account was made just now, and its first sign-in recorded with it
    (User.store_new): nothing is asked about it. The session's id changes, so one planted before sign-in is worth
    nothing.
    """
    if SESSION_KEY in request.session and not goes_on(request, user):
        logout(request)
    if not user.is_active:
        return inactive(request)
    if not new and pending.needed(request, user):
        return pending.wait(request, user, way, next_url)
    try:
        enter(request, user, way, new=new)
    except Superseded:
        messages.info(request, _(ENDED))
        return back_to_login(next_url)
    return redirect(next_url or settings.LOGIN_REDIRECT_URL)


def goes_on(request: HttpRequest, user: User) -> bool:
    """Whether this session is the user's, and of the present password and epoch."""
    return request.user == user and user.vouches_for(request.session.get(HASH_SESSION_KEY, ""))


def enter(request: HttpRequest, user: User, way: str, *, new: bool = False) -> None:
    """Starts the session of somebody who has shown all that is asked for; one that they have goes on under a new id.

    To be called while nobody is signed in, or the same user. Raises Superseded.
    """
    if SESSION_KEY in request.session:
        request.session.take_new_key()  # type: ignore[attr-defined]  # Django would keep the id
    request.session[DEADLINE] = _deadline()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    _stamp(request, user, way, new=new)


def stamp_other_logins(sender: type[User], request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Receives each of Django's logins; stamps a session that begins by another way than `enter`, as by a library."""
    if DEADLINE not in request.session:
        request.session[DEADLINE] = _deadline()
        _stamp(request, user, "", new=False)


def _stamp(request: HttpRequest, user: User, way: str, *, new: bool) -> None:
    """Notes when and where a session began, in it and in the history, and tells the owner of a new device.

    Raises Superseded when all sessions of the account have ended, or it was deleted or turned off, since it was read.
    """
    trace = visitor.trace(request)
    if not new:
        try:
            _record(request, user, way, trace)
        except Superseded:
            logout(request)
            raise
    session = request.session
    session.update(trace)
    session[BEGAN] = session[DEADLINE] - settings.SESSION_COOKIE_AGE
    session.setdefault(HANDLE, new_handle())
    session[CHOSEN] = preferences.followed(user.settings)
    SECOND_FACTOR.drop(request)
    if way == LINK:
        prove(request)
    _connect_google(request, user)
    devices.recognize(request, user)


def _record(request: HttpRequest, user: User, way: str, trace: dict[str, Any]) -> None:
    """Writes a sign-in into the account and its history, and tells the owner if the device is new.

    Raises Superseded.
    """
    with transaction.atomic():
        same = User.objects.filter(pk=user.pk, is_active=True, session_epoch=user.session_epoch)
        if not same.update(last_login=timezone.now()):
            raise Superseded
        event = Event.objects.record(Event.Kind.SIGNED_IN, user, told=user.email, way=way, **trace)
        if way != SIGNUP and user.settings.get("notices", True) and not devices.known(request, user):
            _report(request, event)


def inactive(request: HttpRequest) -> HttpResponse:
    """For the owner of a deactivated account, who has proven to be it."""
    return render(request, "accounts/session/inactive.html", status=403)


def back_to_login(next_url: str) -> HttpResponse:
    """To the sign-in page, and on from there."""
    return redirect_to_login(next_url) if next_url else redirect("account_login")


def follow(request: HttpRequest) -> None:
    """Makes pages follow what was chosen, perhaps on another device since this session last looked."""
    chosen = preferences.followed(cast("User", request.user).settings)
    if request.session.get(CHOSEN) != chosen:
        request.session[CHOSEN] = chosen
        preferences.activate(chosen)


def _deadline() -> float:
    """When a session ends that begins now, in seconds since the epoch."""
    return round(time.time(), 3) + settings.SESSION_COOKIE_AGE


def new_handle() -> str:
    return secrets.token_hex(16)


def _connect_google(request: HttpRequest, user: User) -> None:
    """Connects the Google account that somebody came with before, if this is whose address it named."""
    seen = GOOGLE_IDENTITY.drop(request)
    if seen and seen["to_connect"] and seen["email"] == user.email:
        try:
            if user.google.connect(seen["uid"], seen["email"], **visitor.trace(request)):
                messages.success(request, _("Google is connected."))
        except (ConnectedElsewhere, Superseded):
            messages.warning(request, _("Google was not connected. Nothing has changed."))


def _report(request: HttpRequest, event: Event) -> None:
    """Tells the owner of a sign-in on a new device; not for ever, if somebody makes sport of it."""
    with suppress(rate_limit.Limited):
        limits.NEW_DEVICES_PER_USER.check(request, str(event.user_id))
        notices.tell(event)


def prove(request: HttpRequest) -> None:
    """Notes that somebody has shown to be the owner: by coming in by a mailed link, or by their password again."""
    PROVEN.keep(request)


def is_proven(request: HttpRequest) -> bool:
    """Whether that was so short a time ago that nothing asks for the password, at whichever door."""
    return bool(PROVEN.read(request))


def ends_at(request: HttpRequest) -> datetime:
    return datetime.fromtimestamp(request.session.get(DEADLINE, 0), UTC)


def prolong(request: HttpRequest) -> None:
    """Twelve more hours, by pressing a button (WCAG 2.2.1), under a new id. Raises Superseded."""
    request.session.take_new_key()  # type: ignore[attr-defined]
    request.session[DEADLINE] = _deadline()


def keep(request: HttpRequest, user: User) -> None:
    """Starts this session anew after all of the user's have ended, as after a new password."""
    PROVEN.drop(request)  # what proved it was for that one change
    request.session[HANDLE] = new_handle()  # other services have heard that all ended, this one too
    update_session_auth_hash(request, user)
    devices.recognize(request, user)


def end(request: HttpRequest) -> None:
    """Signs out on this device only."""
    logout(request)
