"""Sessions: Redis first, PostgreSQL as truth, over 12 hours after sign-in whatever happens.

What starts a session is `start`, what ends one is `end`; ending all of a user's is User.end_sessions.
"""

import math
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, cast

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, logout, update_session_auth_hash, user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends import cached_db
from django.core.cache import BaseCache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import clients, devices, notices, preferences
from accounts.models import Event, Session, User

View = Callable[..., HttpResponseBase]

NEEDED = gettext_noop("Sign in to open that page.")
ENDED = gettext_noop("Your session has ended, so we signed you out. Sign in to carry on.")

# In a session's data.
DEADLINE = "deadline"  # seconds since the epoch
CHOSEN = "chosen"  # what pages follow of the user's settings, so that knowing it costs no query


# The session that this request came with. Its row must exist (accounts.backends): a copy alone, which a late reader or
# an old snapshot has brought back to Redis, is nobody's session.
loaded_key: ContextVar[str] = ContextVar("loaded_key", default="")


class SessionStore(cached_db.SessionStore):
    """Django's cached_db store with an owner on each row and an end that nothing moves."""

    cache_key_prefix = Session.CACHE_PREFIX
    _cache: BaseCache

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _validate_session_key(self, key: str | None) -> bool:
        # A key is input: a NUL in it would reach PostgreSQL and come back as a 500.
        return bool(key and re.fullmatch(r"[a-z0-9]{32}", key))

    def load(self) -> dict[str, Any]:
        loaded_key.set(self.session_key or "")
        data: dict[str, Any] | None = self._cache.get(self.cache_key)
        if data is None:
            data = self._load_row()
        # A stranger's session, before sign-in, has no deadline yet.
        if not data or data.get(DEADLINE, math.inf) <= time.time():
            self._session_key = None  # makes Django clear the cookie
            return {}
        return data

    def _load_row(self) -> dict[str, Any]:
        row = self.model.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        data: dict[str, Any] = self.decode(row.session_data) if row else {}
        if row:
            self._cache.set(self.cache_key, data, self.get_expiry_age(expiry=row.expire_date))
        return data

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.user_id = data.get("_auth_user_id")
        row.ip, row.device = data.get("ip"), data.get("device", "")
        if DEADLINE in data:
            row.created_at = datetime.fromtimestamp(data[DEADLINE] - settings.SESSION_COOKIE_AGE, UTC)
        return row

    def get_expiry_age(self, **kwargs: Any) -> int:
        # load() asks with `expiry`, before there is any data to look at.
        if "expiry" in kwargs or DEADLINE not in self:
            return super().get_expiry_age(**kwargs)
        return max(0, int(self[DEADLINE] - time.time()))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        if "expiry" in kwargs or DEADLINE not in self:
            return super().get_expiry_date(**kwargs)
        return datetime.fromtimestamp(self[DEADLINE], UTC)


# How somebody got in, as the history says it.
PASSWORD, LINK, SIGNUP = "password", "link", "signup"
WAY = "frontdoor.way"  # in request.META

PROOF_LIFETIME = timedelta(minutes=15)  # how long coming in by a mailed link stands for the password
LAST_HOUR = timedelta(hours=1)  # in which a session can be prolonged


def start(request: HttpRequest, user: User, next_url: str = "", way: str = "") -> HttpResponse:
    """Signs somebody in, through allauth's stages, and answers with the way on.

    The session's id is new: one that was planted before sign-in is worth nothing.
    """
    request.META[WAY] = way
    # Never None: allauth would then read a `next` of its own from the request.
    return perform_login(request, user, redirect_url=next_url or resolve_url(settings.LOGIN_REDIRECT_URL))


def required(view: View) -> View:
    """For views of somebody signed in: sends anyone else to sign in and back, and says why."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            follow(request)
            return view(request, *args, **kwargs)
        ended = settings.SESSION_COOKIE_NAME in request.COOKIES
        messages.info(request, _(ENDED if ended else NEEDED))
        return redirect_to_login(request.get_full_path())

    return wrapper


def follow(request: HttpRequest) -> None:
    """Makes pages follow what was chosen, perhaps on another device since this session last looked."""
    chosen = preferences.followed(cast("User", request.user).settings)
    if request.session.get(CHOSEN) != chosen:
        request.session[CHOSEN] = chosen
        activate(chosen)


def activate(chosen: Mapping[str, str]) -> None:
    """Language and time zone for the rest of this request; the theme is read by the pages themselves."""
    timezone.activate(preferences.zone(chosen) or UTC)
    if "language" in chosen:
        translation.activate(chosen["language"])


def hear_sign_ins() -> None:
    """Called once at start: every sign-in, by whichever door, is stamped."""
    user_logged_in.connect(_stamp, sender=get_user_model(), dispatch_uid="accounts.sessions")


def _stamp(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Notes when and where a session began, in it and in the history, and tells the owner of a new device."""
    now, way, trace = int(time.time()), request.META.get(WAY, ""), clients.trace(request)
    began = {"by_link_at": now} if way == LINK else {}
    request.session.update(trace | began | {DEADLINE: now + settings.SESSION_COOKIE_AGE})
    request.session[CHOSEN] = preferences.followed(user.settings)
    with transaction.atomic():
        event = Event.objects.record(Event.Kind.SIGNED_IN, user, told=user.email, way=way, **trace)
        if way != SIGNUP and user.settings.get("notices", True) and not devices.known(request, user):
            notices.tell(event)
    devices.recognize(request, user)


def proven_by_link(request: HttpRequest) -> bool:
    """Whether somebody came in by a mailed link so short a time ago that it stands for the password."""
    return time.time() < request.session.get("by_link_at", 0) + PROOF_LIFETIME.total_seconds()


def ends_at(request: HttpRequest) -> datetime:
    return datetime.fromtimestamp(request.session.get(DEADLINE, 0), UTC)


def prolong(request: HttpRequest) -> None:
    """Twelve more hours, by pressing a button (WCAG 2.2.1): a new session with a new id; the old one ends."""
    request.session.cycle_key()
    request.session[DEADLINE] = int(time.time()) + settings.SESSION_COOKIE_AGE


def keep(request: HttpRequest, user: User) -> None:
    """Starts this session anew after all of the user's have ended, as after a new password."""
    request.session["by_link_at"] = 0  # what proved the mailbox was for that one change
    update_session_auth_hash(request, user)


def end(request: HttpRequest) -> None:
    """Signs out on this device only."""
    logout(request)
