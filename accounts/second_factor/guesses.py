"""Codes that somebody tries: how many may be wrong, and who hears of it."""

import logging
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts import limits, notices
from accounts.models import Event, Superseded, User
from accounts.session import devices
from kit import rate_limit, visitor

log = logging.getLogger("frontdoor.accounts")


def check(request: HttpRequest, user: User, typed: str) -> str:
    """The kind of a right code, or "". Raises Limited, Superseded.

    Counted before it is known to be wrong, and given back when it is right.
    """
    counts = counted(devices.known(request, user), user)
    taken = [limit.take(key) for limit, key in counts]
    kind = user.second_factor.check(typed, **visitor.trace(request))
    if kind:
        for limit, key in counts:
            limit.give_back(key)
    else:
        # By a day's count: somebody who waits in between is no less of a stranger.
        refused(request, user, worrying=taken[1] >= counts[0][0].most)
    return kind


def counted(known: str, user: User) -> list[tuple[rate_limit.Guesses, str]]:
    """Apart for a device that was there before: a stranger who has the password must not lock out the owner.

    The day's count is that of all such devices, as whoever has the mailbox can make any number of them.
    """
    if known:
        return [(limits.FACTOR_PER_DEVICE, known), (limits.FACTOR_ON_DEVICES_A_DAY, user.pk.hex)]
    return [(limits.FACTOR_PER_USER, user.pk.hex), (limits.FACTOR_PER_USER_A_DAY, user.pk.hex)]


def refused(request: HttpRequest, user: User, *, worrying: bool) -> None:
    """Logs and records a wrong code, and tells the owner of many; not for ever, if somebody makes sport of it.

    Raises Superseded.
    """
    log.info("wrong code ip=%s", visitor.ip(request))
    try:
        record(request, user, worrying=worrying)
    except IntegrityError:  # the account was deleted in this moment
        raise Superseded from None


def record(request: HttpRequest, user: User, *, worrying: bool) -> None:
    trace = visitor.trace(request)
    if not worrying:
        Event.objects.record(Event.Kind.CODE_FAILED, user, **trace)
        return
    with transaction.atomic():
        event = Event.objects.record(Event.Kind.CODE_FAILED, user, told=user.email, **trace)
        with suppress(rate_limit.Limited):
            limits.FACTOR_NOTICES_PER_USER.check(request, user.pk.hex)
            notices.tell(event)
