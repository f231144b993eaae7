"""Sessions: their beginning and end. Each ends 12 hours after its owner last proved that they are the owner.

Signing in is such a proof; accounts.session.proof asks for others, and nothing else moves the end.

start() begins one, and after a code go_on(); end() ends one, and User.end_sessions() all of a user's.
accounts.session.store stores them.
"""

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, login, logout, update_session_auth_hash
from django.contrib.auth.views import redirect_to_login
from django.db.models import DateTimeField, IntegerField, QuerySet, UUIDField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import asking, limits, notices, preferences
from accounts.models import ConnectedElsewhere, Event, Superseded, User
from accounts.models.session import stored_key
from accounts.session import arrival, coming_back, devices, pending
from accounts.session.notes import (
    BEGAN,
    CHOSEN,
    DEADLINE,
    GOOGLE_IDENTITY,
    HANDLE,
    HELD_UP,
    PROVEN,
    SECOND_FACTOR,
    SIGNED_IN,
)
from kit import rate_limit, visitor
from kit.one_statement import OneStatement, Unmet
from kit.prepared import Given, PreparedUpdate
from kit.session_notes import Note
from outbox.models import OutboxMessage

ENDED = gettext_noop("Your session has ended, so we signed you out. Sign in to carry on.")

# Ways to sign in, as the history stores them.
PASSWORD, LINK, SIGNUP, GOOGLE = "password", "link", "signup", "google"

LAST_HOUR = timedelta(hours=1)  # of a session, in which every page says that it ends


def start(request: HttpRequest, user: User, next_url: str = "", way: str = "", *, new: bool = False) -> HttpResponse:
    """Signs in `user`, who has proven the first factor, or has them wait for a code. Returns the answer to the visitor.

    It leads to `next_url` ("": see landing()) or the page for the code; it is the 403 page if the account is turned
    off, and leads to sign-in if all its sessions have ended meanwhile; or to the page that asks whether an account
    stays whose owner is leaving. `way` is PASSWORD, LINK, SIGNUP or GOOGLE.
    `new`: UserManager.store_new made the account just now and recorded this sign-in, so no code is asked for. Another
    user's session in this browser ends. The session's id changes, so one planted before sign-in is worth nothing.
    """
    if SESSION_KEY in request.session and not goes_on(request, user):
        logout(request)
    if not user.is_active:
        return inactive(request)
    if not new and pending.needed(request, user):
        return pending.wait(request, user, way, next_url)
    try:
        return go_on(request, user, way, next_url, factor=remembered_factor(request, user), new=new)
    except Superseded:
        messages.info(request, _(ENDED))
        return back_to_login(next_url)


def go_on(
    request: HttpRequest, user: User, way: str, next_url: str, *, factor: str = "", new: bool = False
) -> HttpResponse:
    """Starts a session for `user`, who has passed every factor, and returns the redirect to where landing() says.

    No session begins while the owner of the account is leaving: they are led to the page that asks whether it stays.
    The arguments are those of start() and enter(). Raises Superseded as enter() does.
    """
    if user.leaves_at:
        return coming_back.wait(request, user, way, factor, next_url)
    enter(request, user, way, factor=factor, new=new)
    return redirect(landing(user, next_url))


def remembered_factor(request: HttpRequest, user: User) -> str:
    """Returns TRUSTED_BROWSER if this browser has remembered a code that signing in asks for, else ""."""
    return arrival.TRUSTED_BROWSER if devices.is_trusted(request, user) and pending.has_second(user) else ""


def landing(user: User, next_url: str = "") -> str:
    """Returns the path to lead a signed-in person to: `next_url`, where they were going, if it is not "".

    Otherwise it is SIGNED_IN_URL, or the page that leads on to it if it is on another host. Without it, it is the start
    page, whose main button leads on to the product, or, if the site names no product (PRODUCT_URL), the account page.
    If something is to be asked of the user first, it is the page that does, which leads on.
    """
    to = next_url or usual_landing()
    return to_gate(to) if asking.is_asked(user) else to


def usual_landing() -> str:
    """Returns the path to which people are led who were going nowhere; see landing()."""
    there: str = settings.SIGNED_IN_URL
    if there:
        return there if there.startswith("/") else reverse("onward")
    return reverse("entry" if settings.PRODUCT_URL else "account")


def to_gate(next_url: str) -> str:
    """Returns the path of the page that asks the user for what is missing, and then leads on to `next_url`."""
    return f"{reverse('account_complete')}?{urlencode({'next': next_url})}"


def let_on(request: HttpRequest) -> None:
    """Notes that the user has answered what was asked when this session began: other services may know it now."""
    request.session.pop(HELD_UP, None)


def goes_on(request: HttpRequest, user: User) -> bool:
    """Returns whether the request's session is the user's, and began under their present password and epoch."""
    return request.user == user and user.vouches_for(request.session.get(HASH_SESSION_KEY, ""))


def enter(request: HttpRequest, user: User, way: str, *, factor: str = "", new: bool = False) -> None:
    """Starts a session for `user`, who has passed every factor; one that they have already goes on under a new id.

    Records the sign-in with `way`, how they came in, and mails the owner about a new device, unless `new` says that the
    sign-in is recorded already. `factor` is their second one, see accounts.session.arrival. If that is no code, and
    two-step verification is on, a session that goes on ends when it would have, and remembers how they came before. To
    be called while nobody is signed in, or the same user. Raises Superseded if this session, or every session of the
    account, has ended meanwhile, or if the account was deleted or turned off, or its owner is leaving.
    """
    by_code = factor in arrival.SHOWN_FACTORS
    if goes_on(request, user):
        # Not by Django's login(): its new CSRF token would make the forms in this browser's other tabs out of date.
        request.session.take_new_key()  # type: ignore[attr-defined]
        if by_code or not user.second_factor.is_on:
            begin_anew(request, user, way, factor)
    else:
        begin_anew(request, user, way, factor)
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    _stamp(request, user, way, new=new, by_code=by_code)


def stamp_other_logins(sender: type[User], request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Receives Django's signal of a login, and stamps a session that began without enter(), such as by a library.

    It gives that session its end, and records the sign-in. Raises Superseded, and signs out, if all sessions of the
    account have ended, or it was deleted or turned off, since `user` was read.
    """
    if DEADLINE not in request.session:
        request.session[DEADLINE] = new_deadline()
        arrival.note(request)
        _stamp(request, user, "", new=False, by_code=False)


def _stamp(request: HttpRequest, user: User, way: str, *, new: bool, by_code: bool) -> None:
    """Notes in a session when and where it began, and records the sign-in, unless `new` says that this is done.

    `way` is how the user came in, `by_code` whether with a code, too. Marks the device as known, and connects the
    Google account that waits for this sign-in. Raises Superseded, and signs out, if all sessions of the account have
    ended, or it was deleted or turned off, since `user` was read.
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
    session.setdefault(BEGAN, session[DEADLINE] - settings.SESSION_COOKIE_AGE)
    session.setdefault(HANDLE, new_handle())
    session[CHOSEN] = preferences.for_pages(user.settings)
    SECOND_FACTOR.drop(request)
    keep_factors(SIGNED_IN, request, code=by_code, way=way)
    if way == LINK:
        keep_factors(PROVEN, request, code=by_code, way=way)
    _connect_google(request, user)
    devices.mark_known(request, user)


def keep_factors(note: Note, request: HttpRequest, *, code: bool, way: str) -> None:
    """Notes in SIGNED_IN or PROVEN that the first factor was shown, and by which `way`; with `code`, a code, too.

    A note that holds a code is not replaced by one without: that would take away what was shown, or let the code count
    for longer than its 15 minutes.
    """
    if code or not note.read(request).get("code"):
        note.keep(request, code=code, way=way)


def _record(request: HttpRequest, user: User, way: str, trace: dict[str, Any]) -> None:
    """Writes a sign-in into the account and its history, and mails the owner if the device is new.

    `way` is how the user came in, `trace` the ip and device. No mail goes out after sign-up, or if the user wants none.
    Raises Superseded if all sessions of the account have ended, or it was deleted or turned off, since `user` was read.
    """
    same = STILL_THE_SAME.with_values(user=user.pk, epoch=user.session_epoch, now=timezone.now())
    event = Event(kind=Event.Kind.SIGNED_IN, user=user, detail={"told": user.email, "way": way}, **trace)
    is_news = way != SIGNUP and user.settings.get("notices", True) and not devices.known_key(request, user)
    mails = _report(request, event) if is_news else []
    try:
        OneStatement([same]).insert(event, *mails).execute()
    except Unmet:
        raise Superseded from None


def still_the_same() -> tuple[QuerySet[User], dict[str, Any]]:
    """Returns the UPDATE of a sign-in: of an account that is still there, usable, and has not ended all sessions."""
    user, epoch = Given("user", UUIDField()), Given("epoch", IntegerField())
    rows = User.objects.usable().filter(pk=user, session_epoch=epoch)
    return rows, {"last_login": Given("now", DateTimeField())}


STILL_THE_SAME = PreparedUpdate(still_the_same)


def inactive(request: HttpRequest) -> HttpResponse:
    """Returns the 403 page for a deactivated account; only a visitor who has proven that it is theirs may see it."""
    return render(request, "accounts/session/inactive.html", status=403)


def back_to_login(next_url: str) -> HttpResponse:
    """Redirects to the sign-in page, which leads on to `next_url`, or to the account page if that is ""."""
    return redirect_to_login(next_url) if next_url else redirect("account_login")


def sync_preferences(request: HttpRequest) -> None:
    """Copies the user's settings into this session and activates them, if the session's copy is out of date.

    The user may have changed them on another device since. Only for a request of a signed-in user.
    """
    chosen = preferences.for_pages(cast("User", request.user).settings)
    if request.session.get(CHOSEN) != chosen:
        request.session[CHOSEN] = chosen
        preferences.activate(chosen)


def begin_anew(request: HttpRequest, user: User, way: str = "", factor: str = "") -> None:
    """Gives the session its full time from now, as its owner has shown just now all that the account asks for.

    `way` and `factor` are what they have shown, see arrival.note(). What is still to be asked of `user` comes before
    other services.
    """
    request.session[DEADLINE] = new_deadline()
    arrival.note(request, way, factor)
    if asking.is_asked(user):
        request.session[HELD_UP] = True


def new_deadline() -> float:
    """Returns when a session is to end whose owner proves now that they are the owner, in seconds since the epoch."""
    return round(time.time(), 3) + settings.SESSION_COOKIE_AGE


def new_handle() -> str:
    """Returns a new random handle: the name of a session on pages and in JSON, 32 hex digits."""
    return secrets.token_hex(16)


def _connect_google(request: HttpRequest, user: User) -> None:
    """Connects the Google account that this session has noted to be connected, if Google named the user's address.

    A message says whether it was connected. The note is forgotten either way.
    """
    seen = GOOGLE_IDENTITY.drop(request)
    if seen and seen["to_connect"] and seen["email"] == user.email:
        try:
            if user.google.connect(seen["uid"], seen["email"], **visitor.trace(request)):
                messages.success(request, _("Google is connected."))
        except (ConnectedElsewhere, Superseded):
            messages.warning(request, _("Google was not connected. Nothing has changed."))


def _report(request: HttpRequest, event: Event) -> list[OutboxMessage]:
    """Returns the mail to the owner about a sign-in on a new device (`event`), not stored yet.

    At most as many as NEW_DEVICES_PER_USER allows, so that nobody can flood the owner's mailbox; beyond it [].
    """
    try:
        limits.NEW_DEVICES_PER_USER.check(request, str(event.user_id))
    except rate_limit.Limited:
        return []
    mail = notices.letter(event)
    return [mail] if mail else []


def ends_at(request: HttpRequest) -> datetime:
    """Returns when this session ends, in UTC; the epoch (1970) for a session in which nobody has signed in."""
    return datetime.fromtimestamp(request.session.get(DEADLINE, 0), UTC)


def stored_as(request: HttpRequest) -> str:
    """Returns the name under which this session is stored, to tell its row from the others."""
    return stored_key(request.session.session_key or "")


def restart(request: HttpRequest, user: User) -> None:
    """Starts this session again after all of the user's have ended, as after a new password.

    Its id and its handle are new, it ends when it would have, and the user must prove ownership again. How and when
    they came in stays as it was. The device is marked as known again.
    """
    PROVEN.drop(request)  # the proof was for that one change
    SIGNED_IN.drop(request)
    request.session[HANDLE] = new_handle()  # other services were told that all have ended, this one too
    update_session_auth_hash(request, user)
    devices.mark_known(request, user)


def end(request: HttpRequest) -> None:
    """Ends this session, and no other of the user's; the request has an empty session then, and nobody signed in."""
    logout(request)
