"""The mail of an invite: which of four it is, in which language, with what in it. It needs no request."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone, translation

from accounts import clients, times
from accounts.models import User
from invites import tokens
from mail.messages import post

if TYPE_CHECKING:
    from invites.models import Invite


def send(invite: "Invite", account: User | None, *, may_join: bool, device: str = "") -> None:
    """Puts the one mail into the outbox that fits the address today, in the transaction of its cause."""
    language = (account and account.settings.get("language")) or invite.language or settings.LANGUAGE_CODE
    name, purpose = wording(invite, account, may_join=may_join)
    with translation.override(language):
        context = {
            "email": invite.email,
            "username": account.username if account else "",
            "url": tokens.link(purpose, invite.pk) if purpose else settings.SITE_URL,
            "until": times.until(invite.expires_at),
            "at": times.clock(timezone.now()),
            "device": clients.describe(device),
            "note": invite.note,
            "inviter": invite.invited_by.username if invite.invited_by else settings.SITE_NAME,
            "inviter_email": invite.invited_by.email if invite.invited_by else "",
        }
    reply_to = [context["inviter_email"]] if name == "invite" and context["inviter_email"] else []
    post(name, invite.email, context, language=language, source=invite.source, reply_to=reply_to)


def wording(invite: "Invite", account: User | None, *, may_join: bool) -> tuple[str, str]:
    """Which mail, and what its link is for."""
    if account:
        return "link_known", tokens.CONFIRM
    if not may_join:
        return "closed", ""
    return ("link_new" if invite.source == "self" else "invite"), tokens.SIGNUP
