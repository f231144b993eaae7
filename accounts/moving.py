"""A change of address that waits for the code mailed there. allauth keeps the code, in the session that asked."""

import time
from typing import Any

# Private to allauth, and what its own pages and its JSON both stand on.
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from accounts import limits

MOVING = "moving"  # in a session's data: the address that a code was mailed to, and until when it works
CODE_LIFETIME = settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT  # seconds

TOO_MANY = gettext_noop("That was one wrong code too many. Nothing has changed; ask for a new code.")


def begin(request: HttpRequest, form: Any) -> None:
    """Mails a code to the address of a valid EmailForm. Raises Limited."""
    email = form.cleaned_data["email"]
    limits.CODE_PER_ADDRESS.check(request, email)
    request.session[MOVING] = {"to": email, "until": time.time() + CODE_LIFETIME}
    form.save(request)


def to(request: HttpRequest) -> str:
    """The address whose code has not been typed yet, while it works; or ""."""
    moving = request.session.get(MOVING, {})
    return moving["to"] if moving and time.time() < moving["until"] else ""


def pending(request: HttpRequest) -> Any:
    """What allauth knows of the change: its code, and the verbs on it; or None."""
    return EmailVerificationProcess.resume(request)


def over(request: HttpRequest) -> None:
    """The code was right, or nobody may try any more."""
    request.session.pop(MOVING, None)


def cancel(request: HttpRequest) -> None:
    if process := pending(request):
        process.abort()
    over(request)
