"""A change of address that waits for the code mailed to the new one, in the session that asked and in no other.

It ends with all sessions of the account: whoever asked for it need not be the person who has set a new password since.
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
from kit import visitor
from kit.rate_limit import Limited
from outbox import limits as mail_limits

LENGTH = 8  # digits: an address gets 5 codes an hour, and each allows 5 guesses among 10**8

TOO_MANY = gettext_noop("That was one wrong code too many. Nothing has changed; ask for a new code.")


class TooManyTries(Exception):
    """The code was guessed at too often, and the change of address has ended."""


class Change(NamedTuple):
    """A change of address that waits for its code."""

    id: str
    to: str
    code: str  # hashed
    ends_at: datetime


def mail_code(request: PersonRequest, email: str) -> None:
    """Mails a code to a new, normalized address, and notes the change in this session for 15 minutes.

    A code mailed before stops working. If an account has that address already, its owner is mailed a warning instead.
    Raises Limited after too many mails to the address or its mailbox, or from this network.
    """
    mail_limits.take(email, (limits.CODE_PER_ADDRESS, email), site=visitor.site(request))
    user, device, change = request.person, request.trace["device"], secrets.token_hex(16)
    code = f"{secrets.randbelow(10**LENGTH):0{LENGTH}}"
    with transaction.atomic():
        owner = User.objects.filter(email=email).first()
        if owner:
            notices.mail_address_owner(owner, device)
        else:
            notices.code(user, email, f"{code[:4]} {code[4:]}", device)
    EMAIL_CHANGE.keep(request, to=email, id=change, code=hash_code(change, code), epoch=user.session_epoch)


def hash_code(change: str, code: str) -> str:
    """Returns the keyed hash of `code`, which the session keeps in its place; `change` is the id of the change.

    Anyone with access to Redis or PostgreSQL can read sessions.
    """
    return salted_hmac("frontdoor.email-change", f"{change}:{code}", algorithm="sha256").hexdigest()


def find_pending(request: PersonRequest) -> Change | None:
    """Returns the change of address that waits for its code in this session, or None.

    Returns None, too, if all sessions of the account have ended since it was asked for.
    """
    note = EMAIL_CHANGE.read(request)
    if not note or note["epoch"] != request.person.session_epoch:
        return None
    return Change(note["id"], note["to"], note["code"], datetime.fromtimestamp(note["until"], UTC))


def is_right(request: HttpRequest, change: Change, typed: str) -> bool:
    """Returns whether `typed`, in any spacing, is the code that was mailed last. A right code is not used up.

    Raises TooManyTries, and ends the change, if the fifth try (EMAIL_CODE.most) is wrong, and at every later try.
    Tries, right ones included, are counted outside the session, where many at once would all be the first.
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
    """Gives the account its new address, mails the old one, and forgets the change; to be called after a right code.

    Raises Superseded if all sessions of the account have ended since the request began, and IntegrityError if another
    account has the address by now.
    """
    request.person.address.change(change.to, **request.trace)
    EMAIL_CHANGE.drop(request)


def cancel(request: HttpRequest) -> None:
    """Forgets the change of address that waits in this session, if any."""
    EMAIL_CHANGE.drop(request)
