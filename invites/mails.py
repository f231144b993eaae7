"""The mail of an invite: which it is, in which language, with what in it. It needs no request."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from accounts import notices, preferences, times, tokens
from accounts.models import User
from mail.messages import post

if TYPE_CHECKING:
    from invites.models import Invite

# What was asked for: a way in, an account whose name and password are chosen already, or a new password.
LINK, REGISTER, RESET = "link", "register", "reset"
DISOWNED = "disowned"  # a new password after "this was not me"


def send(invite: "Invite", account: User | None, wish: str, *, may_join: bool, device: str = "") -> None:
    """Puts the one mail into the outbox that fits the address today, in the transaction of its cause."""
    name, purpose = wording(invite, account, wish, may_join=may_join)
    with preferences.read_by(account.settings if account else {}, invite.language) as language:
        context: dict[str, Any] = {
            "email": invite.email,
            "username": account.username if account else invite.username,
            "url": tokens.link(purpose, invite.pk) if purpose else settings.SITE_URL,
            "reset_url": tokens.link(tokens.RESET, invite.pk),
            "until": times.until(invite.expires_at),
            "at": times.clock(timezone.now()),
            "device": notices.said(device),
            "note": invite.note,
            "registering": wish == REGISTER,
            "inviter": invite.invited_by.username if invite.invited_by else settings.SITE_NAME,
            "inviter_email": invite.invited_by.email if invite.invited_by else "",
        }
    reply_to = [context["inviter_email"]] if name == "invite" and context["inviter_email"] else []
    post(name, invite.email, context, language=language, source=invite.source, reply_to=reply_to, about=invite.pk)


def wording(invite: "Invite", account: User | None, wish: str, *, may_join: bool) -> tuple[str, str]:
    """Which mail, and what its link is for."""
    if account:
        return (wish, tokens.RESET) if wish in {RESET, DISOWNED} else ("link_known", tokens.CONFIRM)
    if wish == RESET:
        return "reset_unknown", ""
    if not may_join:
        return "closed", ""
    if wish == REGISTER:
        return "register", tokens.CONFIRM
    return ("link_new" if invite.source == "self" else "invite"), tokens.SIGNUP


def ask_to_readdress(invite: "Invite") -> None:
    """To who sent it: its holder wants it sent to another address."""
    if invite.invited_by:
        with preferences.read_by(invite.invited_by.settings) as language:
            context = {
                "email": invite.email,
                "other": invite.readdress_to,
                "inviter": invite.invited_by.username,
                "url": tokens.link(tokens.READDRESS, invite.pk),
            }
            post("readdress", invite.invited_by.email, context, language=language)


def not_readdressed(invite: "Invite") -> None:
    """To who asked for that, and may wait for it."""
    account = User.objects.filter(email=invite.readdress_to).first()
    spoken = invite.readdress_language or invite.language
    with preferences.read_by(account.settings if account else {}, spoken) as language:
        context = {
            "email": invite.email,
            "other": invite.readdress_to,
            "inviter": invite.invited_by.username if invite.invited_by else settings.SITE_NAME,
        }
        post("not_readdressed", invite.readdress_to, context, language=language)
