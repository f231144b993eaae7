"""The second press of the button under a code, or of the one that keeps an account: a double click, or a lost answer.

The first press signs in and ends the session in which the sign-in waited. The second comes with that session's cookie.
"""

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.models import User
from accounts.models.second_factor import SECOND_PRESS
from accounts.session import coming_back, store
from accounts.session.pending import Waiting


def waiting_session(request: HttpRequest) -> str:
    """Returns a hash of the session id that the request came with, if nobody is signed in by it; else ""."""
    key = store.loaded_key.get()
    if not key or request.user.is_authenticated:
        return ""
    return salted_hmac("frontdoor.accounts.second-press", key, algorithm="sha256").hexdigest()


def remember(request: HttpRequest, waiting: Waiting) -> None:
    """Remembers for SECOND_PRESS the sign-in that waited in this session; to be called when its code was right."""
    name = waiting_session(request)
    if name and waiting.user:
        facts = {"user": waiting.user.pk.hex, "epoch": waiting.user.session_epoch}
        facts |= {"way": waiting.way, "next": waiting.next_url}
        cache.set(_key(name), facts, int(SECOND_PRESS.total_seconds()))


def find(request: HttpRequest) -> Waiting | None:
    """Returns the sign-in that waited in this session until its code was entered a moment ago, or None.

    The code is still to be checked: SecondFactor.check() lets the same one pass again.
    """
    name = waiting_session(request) if request.method == "POST" else ""
    facts = cache.get(_key(name)) if name else None
    if not facts:
        return None
    user = User.objects.filter(pk=facts["user"], is_active=True, session_epoch=facts["epoch"]).first()
    return Waiting(user, facts["way"], facts["next"]) if user else None


def remember_kept(request: HttpRequest, waiting: coming_back.Waiting) -> None:
    """Remembers for SECOND_PRESS the sign-in that waited in this session until its account was kept."""
    if name := waiting_session(request):
        facts = {"user": waiting.user.pk.hex, "epoch": waiting.user.session_epoch}
        facts |= {"way": waiting.way, "factor": waiting.factor, "next": waiting.next_url}
        cache.set(_kept_key(name), facts, int(SECOND_PRESS.total_seconds()))


def find_kept(request: HttpRequest) -> coming_back.Waiting | None:
    """Returns the sign-in that waited in this session until its account was kept a moment ago, or None."""
    name = waiting_session(request) if request.method == "POST" else ""
    facts = cache.get(_kept_key(name)) if name else None
    if not facts:
        return None
    user = User.objects.usable().filter(pk=facts["user"], session_epoch=facts["epoch"]).first()
    return coming_back.Waiting(user, facts["way"], facts["factor"], facts["next"]) if user else None


def _key(name: str) -> str:
    return f"second-press:{name}"


def _kept_key(name: str) -> str:
    """Another key than _key(): whoever has only a session that waits for its code must not come in without one."""
    return f"second-press-kept:{name}"
