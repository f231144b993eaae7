"""Tries of second-factor codes: how many may be wrong, and when the owner hears of them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts import limits, notices
from accounts.codes import second_press
from accounts.models import Event, Superseded, User
from accounts.models.second_factor import RECOVERY, TOTP
from accounts.session import arrival, devices
from kit import rate_limit, visitor

log = logging.getLogger("frontdoor.accounts")

FACTORS = {TOTP: arrival.APP, RECOVERY: arrival.RECOVERY_CODE}  # what a session remembers of each kind of code
Counts = list[tuple[rate_limit.Guesses, str]]  # limits, each with its key


def check(request: HttpRequest, user: User, typed: str) -> str:
    """Uses up the typed code. Returns its kind, TOTP or RECOVERY, or "" for a wrong one.

    A wrong code is recorded, and too many are mailed to the owner. Each try is counted before it is checked, so that
    many at once are no way around the limit, and given back if it was right or could not be checked. If `user` is
    signed in, their session remembers a right one. Raises Limited after too many tries, and Superseded if all sessions
    of the account have ended, or it was deleted, since `user` was read.
    """
    counts = limits_for(devices.known_key(request, user), user)
    with _taken(counts) as taken:
        kind = user.second_factor.check(typed, browser=second_press.waiting_session(request), **visitor.trace(request))
    if kind:
        _give_back(counts)
        if request.user == user:
            arrival.note_factor(request, FACTORS[kind])
    else:
        # By the count of a day: a stranger who waits between tries is no less of one.
        record_wrong_code(request, user, worrying=taken[1] >= counts[0][0].most)
    return kind


@contextmanager
def _taken(counts: Counts) -> Iterator[list[int]]:
    """Context manager: counts a try towards each limit, and yields the counts; takes them back if none was checked.

    That is so if a later limit is reached (Limited), or the account has ended all sessions (Superseded); both pass
    through.
    """
    taken: list[int] = []
    try:
        for limit, key in counts:
            taken.append(limit.take(key))
        yield taken
    except (rate_limit.Limited, Superseded):
        _give_back(counts[: len(taken)])
        raise


def _give_back(counts: Counts) -> None:
    for limit, key in counts:
        limit.give_back(key)


def limits_for(known: str, user: User) -> Counts:
    """Returns the limits that a try counts towards, each with its key: the short one first, then that of a day.

    `known` is the key of a device that has signed in before, or "". Such a device has its own short limit: a stranger
    who has the password must not lock out the owner. All of them share that of a day, as whoever has the mailbox can
    make any number of known devices.
    """
    if known:
        return [(limits.FACTOR_PER_DEVICE, known), (limits.FACTOR_ON_DEVICES_A_DAY, user.pk.hex)]
    return [(limits.FACTOR_PER_USER, user.pk.hex), (limits.FACTOR_PER_USER_A_DAY, user.pk.hex)]


def record_wrong_code(request: HttpRequest, user: User, *, worrying: bool) -> None:
    """Logs a wrong code, and records it in the history of `user`. If it is `worrying`, also mails the owner.

    At most FACTOR_NOTICES_PER_USER are mailed. Raises Superseded if the account was deleted meanwhile.
    """
    log.info("wrong code ip=%s", visitor.ip(request))
    try:
        record(request, user, worrying=worrying)
    except IntegrityError:  # the account was deleted just now
        raise Superseded from None


def record(request: HttpRequest, user: User, *, worrying: bool) -> None:
    """Records a wrong code in the history of `user`; if it is `worrying`, mails the owner too.

    At most FACTOR_NOTICES_PER_USER are mailed, so that nobody can flood the owner's mailbox; beyond that nothing is
    raised. Raises IntegrityError if the account was deleted meanwhile.
    """
    trace = visitor.trace(request)
    if not worrying:
        Event.objects.record(Event.Kind.CODE_FAILED, user, **trace)
        return
    with transaction.atomic():
        event = Event.objects.record(Event.Kind.CODE_FAILED, user, told=user.email, **trace)
        with suppress(rate_limit.Limited):
            limits.FACTOR_NOTICES_PER_USER.check(request, user.pk.hex)
            notices.tell(event)
