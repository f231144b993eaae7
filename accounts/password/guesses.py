"""Wrong passwords: each is logged and recorded, and many of them are mailed to the owner of the account."""

import logging
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, User
from kit import visitor

log = logging.getLogger("frontdoor.accounts")

SHUT = _(
    "Many wrong passwords were entered for your account, so its password is not accepted on a device you have not used "
    "before. Nothing has changed. Have us email you a link instead: it proves that the account is yours"
)


def find(user: User) -> User | None:
    """Returns the account as stored now, with what wrong passwords have come to; None if it was deleted meanwhile."""
    return User.objects.with_guesses(id=user.pk)


def record(request: HttpRequest | None, user: User | None, *, known: bool) -> None:
    """Logs a wrong password, and records it in the history with the ip and device of `request`, if there is one.

    `user` comes from UserManager.with_guesses(), and is None if no account has the name that was typed; then, or if
    the account was deleted just now, the event names no user. `known` tells that the device is one that the account has
    been used on. If many were wrong within a day, the owner is mailed, once in that day. That mail takes statements of
    its own; but it is rare, and how often it comes is no secret.
    """
    trace = visitor.trace(request) if request else {}
    log.info("wrong password ip=%s", trace.get("ip", ""))
    detail: dict[str, Any] = {"known": True} if known else {}
    try:
        Event.objects.record(Event.Kind.FAILED, user, **trace, **detail)
    except IntegrityError:  # the account was deleted just now
        Event.objects.record(Event.Kind.FAILED, None, **trace)
        return
    if user and user.is_guessed_at:
        tell_owner(user, trace)


def tell_owner(user: User, trace: dict[str, Any]) -> None:
    """Mails the owner how many passwords were wrong within a day, and where the last came from; once in that day.

    An account that is turned off, or has no password, has nothing to be guessed, and is not mailed.
    """
    today = Event.objects.filter(user=user, at__gt=timezone.now() - timedelta(days=1))
    with transaction.atomic():
        held = User.objects.select_for_update().filter(pk=user.pk, is_active=True).first()
        if held and held.has_usable_password() and not today.filter(kind=Event.Kind.GUESSED).exists():
            count = today.filter(kind=Event.Kind.FAILED).count()
            held.record_and_notify(Event.Kind.GUESSED, count=count, **trace)
