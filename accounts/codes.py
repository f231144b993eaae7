"""Codes that somebody tries: how many may be wrong, and who hears of it."""

import logging
from contextlib import suppress

from django.db import transaction
from django.http import HttpRequest

from accounts import clients, devices, limits, notices
from accounts.models import Event, User

log = logging.getLogger("frontdoor.accounts")


def check(request: HttpRequest, user: User, typed: str) -> str:
    """The kind of a right code, or "". Raises Limited, Superseded.

    Counted before it is known to be wrong, and given back when it is right.
    """
    known = devices.known(request, user)
    key = known or user.pk.hex
    taken = [limit.take(key) for limit in counted(known)]
    kind = user.second_factor.check(typed, **clients.trace(request))
    if kind:
        for limit in counted(known):
            limit.give_back(key)
    else:
        # By then a stranger has come past the first factor several times.
        refused(request, user, worrying=not known and taken[0] >= limits.FACTOR_PER_USER.most)
    return kind


def counted(known: str) -> tuple[limits.Guesses, limits.Guesses]:
    """Apart for a device that was there before: a stranger who has the password must not lock out the owner."""
    if known:
        return limits.FACTOR_PER_DEVICE, limits.FACTOR_PER_DEVICE_A_DAY
    return limits.FACTOR_PER_USER, limits.FACTOR_PER_USER_A_DAY


def refused(request: HttpRequest, user: User, *, worrying: bool) -> None:
    """Logs and records a wrong code, and tells the owner of many; not for ever, if somebody makes sport of it."""
    trace = clients.trace(request)
    log.info("wrong code ip=%s", trace["ip"])
    if not worrying:
        Event.objects.record(Event.Kind.CODE_FAILED, user, **trace)
        return
    with transaction.atomic():
        event = Event.objects.record(Event.Kind.CODE_FAILED, user, told=user.email, **trace)
        with suppress(limits.Limited):
            limits.CODE_NOTICES_PER_USER.check(request, user.pk.hex)
            notices.tell(event)
