"""A change of address that waits for the code mailed there: in the session that asked, and in no other.

It ends with all sessions of the account: whoever asked for it in this one need not be who has a new password now.
"""

import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_noop

from accounts import limits, notices
from accounts.models import User
from accounts.models.second_factor import digits
from accounts.session.account_page import PersonRequest
from accounts.session.notes import EMAIL_CHANGE
from kit.rate_limit import Limited

LENGTH = 8  # digits: an address gets 5 codes an hour, and each stands 5 guesses among 10**8

TOO_MANY = gettext_noop("That was one wrong code too many. Nothing has changed; ask for a new code.")


class TooManyTries(Exception):
    """The code was guessed at; the change is over."""


class Change(NamedTuple):
    """A change that waits for its code."""

    id: str
    to: str
    code: str  # hashed
    ends_at: datetime


def mail_code(request: PersonRequest, email: str) -> None:
    """Mails a code to an address, or word to whoever has it; a code from before works no longer. Raises Limited."""
    limits.CODE_PER_ADDRESS.check(request, email)
    user, device, change = request.person, request.trace["device"], secrets.token_hex(16)
    code = f"{secrets.randbelow(10**LENGTH):0{LENGTH}}"
    with transaction.atomic():
        owner = User.objects.filter(email=email).first()
        if owner:
            notices.taken(owner, device)
        else:
            notices.code(user, email, f"{code[:4]} {code[4:]}", device)
    EMAIL_CHANGE.keep(request, to=email, id=change, code=hash_code(change, code), epoch=user.session_epoch)


def hash_code(change: str, code: str) -> str:
    """A code as the session keeps it, which anybody with Redis or PostgreSQL can read."""
    return salted_hmac("frontdoor.email-change", f"{change}:{code}", algorithm="sha256").hexdigest()


def waiting(request: PersonRequest) -> Change | None:
    """What waits for its code in this session; None once all sessions of the account have ended."""
    note = EMAIL_CHANGE.read(request)
    if not note or note["epoch"] != request.person.session_epoch:
        return None
    return Change(note["id"], note["to"], note["code"], datetime.fromtimestamp(note["until"], UTC))


def is_right(request: HttpRequest, change: Change, typed: str) -> bool:
    """Whether this is the code that was mailed last, typed in any spacing. Raises TooManyTries.

    Counted outside the session, where many tries at once would all be the first.
    """
    try:
        tries = limits.EMAIL_CODE.take(change.id)
    except Limited:
        cancel(request)
        raise TooManyTries from None
    if constant_time_compare(change.code, hash_code(change.id, digits(typed))):
        return True
    if tries >= limits.EMAIL_CODE.most:
        cancel(request)
        raise TooManyTries
    return False


def finish(request: PersonRequest, change: Change) -> None:
    """What the right code does. Raises Superseded, or IntegrityError if somebody has the address by now."""
    request.person.change_email(change.to, **request.trace)
    EMAIL_CHANGE.drop(request)


def cancel(request: HttpRequest) -> None:
    EMAIL_CHANGE.drop(request)
