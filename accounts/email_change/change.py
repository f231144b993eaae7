"""A change of address that waits for the code mailed there. allauth keeps the code, in the session that asked.

It ends with all sessions of the account: whoever asked for it in this one need not be who has a new password now.
"""

from datetime import timedelta
from typing import Any, cast

# Private to allauth, and what its own pages and its JSON both stand on.
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from accounts import limits
from accounts.models import User
from kit.session_notes import Note

# The address that a code was mailed `to`, and the `epoch` of the account at that time.
MOVING = Note("moving", timedelta(seconds=settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT))

TOO_MANY = gettext_noop("That was one wrong code too many. Nothing has changed; ask for a new code.")


def begin(request: HttpRequest, form: Any) -> None:
    """Mails a code to the address of a valid EmailForm. Raises Limited."""
    email = form.cleaned_data["email"]
    limits.CODE_PER_ADDRESS.check(request, email)
    MOVING.keep(request, to=email, epoch=epoch(request))
    form.save(request)


def to(request: HttpRequest) -> str:
    """The address whose code has not been typed yet, while it works; or ""."""
    moving = MOVING.read(request)
    return moving["to"] if moving and moving["epoch"] == epoch(request) else ""


def pending(request: HttpRequest) -> Any:
    """What allauth knows of the change: its code, and the verbs on it; or None."""
    drop_ended(request)
    return EmailVerificationProcess.resume(request)


def drop_ended(request: HttpRequest) -> None:
    """Gives the change up where all sessions have ended since it was asked for."""
    if MOVING.key in request.session and request.session[MOVING.key]["epoch"] != epoch(request):
        cancel(request)


def over(request: HttpRequest) -> None:
    """The code was right, or nobody may try any more."""
    MOVING.drop(request)


def cancel(request: HttpRequest) -> None:
    if process := EmailVerificationProcess.resume(request):
        process.abort()
    over(request)


def epoch(request: HttpRequest) -> int:
    return cast("User", request.user).session_epoch
