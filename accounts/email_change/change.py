"""A change of address that waits for the code mailed there: in the session that asked, and in no other.

It ends with all sessions of the account: whoever asked for it in this one need not be who has a new password now.
"""

import secrets
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_noop

from accounts import limits, notices
from accounts.models import User
from accounts.models.second_factor import digits
from accounts.session.notes import EMAIL_CHANGE
from kit import visitor
from kit.rate_limit import Limited

LENGTH = 8  # digits: with twenty tries an hour, one account is guessed in some five hundred years

TOO_MANY = gettext_noop("That was one wrong code too many. Nothing has changed; ask for a new code.")


class TooManyTries(Exception):
    """The code was guessed at; the change is over."""


def mail_code(request: HttpRequest, user: User, email: str) -> None:
    """Mails a code to an address, or word to whoever has it; a code from before works no longer. Raises Limited."""
    limits.CODE_PER_ADDRESS.check(request, email)
    device, change = visitor.device(request), secrets.token_hex(16)
    code = f"{secrets.randbelow(10**LENGTH):0{LENGTH}}"
    with transaction.atomic():
        owner = User.objects.filter(email=email).first()
        if owner:
            notices.taken(owner, device)
        else:
            notices.code(user, email, f"{code[:4]} {code[4:]}", device)
    EMAIL_CHANGE.keep(request, to=email, id=change, code=hashed(change, code), epoch=user.session_epoch)


def hashed(change: str, code: str) -> str:
    """A code as the session keeps it, which anybody with Redis or PostgreSQL can read."""
    return salted_hmac("frontdoor.email-change", f"{change}:{code}", algorithm="sha256").hexdigest()


def waiting(request: HttpRequest) -> dict[str, Any]:
    """The note of a change whose code has not been typed yet; {} where there is none, or all sessions ended since."""
    note = EMAIL_CHANGE.read(request)
    return note if note and note["epoch"] == cast("User", request.user).session_epoch else {}


def to(request: HttpRequest) -> str:
    """The address whose code is awaited, or ""."""
    return str(waiting(request).get("to", ""))


def is_right(request: HttpRequest, typed: str) -> bool:
    """Whether this is the code that was mailed last, typed in any spacing. Raises TooManyTries.

    Counted outside the session, where many tries at once would all be the first.
    """
    note = waiting(request)
    try:
        tries = limits.EMAIL_CODE.take(note["id"])
    except Limited:
        cancel(request)
        raise TooManyTries from None
    if constant_time_compare(note["code"], hashed(note["id"], digits(typed))):
        limits.EMAIL_CODE.give_back(note["id"])
        return True
    if tries >= limits.EMAIL_CODE.most:
        cancel(request)
        raise TooManyTries
    return False


def finish(request: HttpRequest, user: User) -> None:
    """What the right code does. Raises Superseded, or IntegrityError if somebody has the address by now."""
    user.change_email(to(request), **visitor.trace(request))
    EMAIL_CHANGE.drop(request)


def cancel(request: HttpRequest) -> None:
    EMAIL_CHANGE.drop(request)
