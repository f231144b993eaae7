"""Passwords that have leaked from other sites: whether one is in PASSWORD_BREACHES_FILE, and how its owner hears of it.

Nobody hears of it who has not signed in with that password, every step of it passed.
"""

import hashlib
import logging
from functools import cache

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import passwords
from accounts.models import User
from accounts.session.notes import BREACHED
from kit.hash_filter import HashFilter, Unusable

log = logging.getLogger("frontdoor.accounts")


def is_breached(password: str) -> bool:
    """Returns whether the password is in PASSWORD_BREACHES_FILE; False where there is no such file.

    Of a thousand passwords that are not, it takes one or none for one that is.
    """
    known = _known(settings.PASSWORD_BREACHES_FILE) if settings.PASSWORD_BREACHES_FILE else None
    typed = passwords.normalize(password).encode()
    return known is not None and hashlib.sha1(typed, usedforsecurity=False).digest() in known


@cache
def _known(path: str) -> HashFilter | None:
    """Returns the filter in the file, which the start has checked; None if it has been taken away since."""
    try:
        return HashFilter(path)
    except (OSError, Unusable) as error:
        log.error("PASSWORD_BREACHES_FILE is not used: %s", error)  # noqa: TRY400 one line says it all
        return None


def note(request: HttpRequest, user: User, password: str) -> None:
    """Notes in the session if the right password of `user` has leaked.

    To be called after the first step of signing in. While the second one is missing, the note waits for it.
    """
    if is_breached(password):
        BREACHED.keep(request, user=user.pk.hex)


def warn(request: HttpRequest) -> None:
    """Adds a message, for whoever has just signed in with a leaked password, that asks to choose another one.

    It comes once with each such sign-in, and leads nobody away from what they came for.
    """
    if _is_due(request):
        said = _("Your password is on a list of leaked passwords, so somebody may try it here.")
        link = format_html('<a href="{}">{}</a>', reverse("account_change_password"), _("Choose another one"))
        messages.warning(request, format_html("{} {}", said, link))


def member(request: HttpRequest) -> dict[str, bool]:
    """Returns the member "password_breached" for the JSON answer to a sign-in with a leaked password; else {}."""
    return {"password_breached": True} if _is_due(request) else {}


def _is_due(request: HttpRequest) -> bool:
    """Returns whether the session's note is about the person who is signed in; if so, the note is dropped."""
    if not request.user.is_authenticated or request.user.pk.hex != BREACHED.read(request).get("user"):
        return False
    return bool(BREACHED.drop(request))
