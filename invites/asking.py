"""Asking for mail, at whichever door."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

from invites import limits, mails
from invites.models import Invite
from kit import visitor


def ask(request: HttpRequest, email: str, wish: str = mails.LINK, **given: Any) -> None:
    """Sends the one mail that every address gets. Raises Limited."""
    # Counted apart, as the mail about an unknown address holds no link: nobody should be able to use up the others.
    key = f"{mails.RESET} {email}" if wish == mails.RESET else email
    limits.ASK_PER_ADDRESS_AT_ONCE.check(request, key)
    limits.ASK_PER_ADDRESS.check(request, key)
    language, device = get_language() or "", visitor.device(request)
    Invite.objects.issue(email, wish=wish, language=language, device=device, **given)
