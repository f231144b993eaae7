"""The mail of an invite: which it is, in which language, with what in it. It needs no request."""

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from accounts import notices, preferences
from accounts.models import User
from invites import purposes
from kit import times, tokens
from outbox.mail.merge import blank, filled
from outbox.mail.write import post, write
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models import Invite

EMAIL, NAME, URL, DECLINE_URL = range(4)  # the blanks of a mail to many

# What was asked for: a way in, an account whose name and password are chosen already, or a new password.
LINK, REGISTER, RESET = "link", "register", "reset"
DISOWNED = "disowned"  # a new password after "this was not me"


def send(invite: "Invite", account: User | None, wish: str, *, may_join: bool, device: str = "") -> None:
    """Puts the one mail into the outbox that fits the address today, in the transaction of its cause."""
    letter(invite, account, wish, may_join=may_join, device=device).save()


def invitations(invites: "Iterable[Invite]", leaving: Iterator[datetime] | None = None) -> list[OutboxMessage]:
    """The mails to people without an account who were invited, not stored yet; to leave at these times, or now.

    What many of them have in common is rendered once.
    """
    written: dict[Any, OutboxMessage] = {}
    mails = []
    for invite in invites:
        common = same_for(invite)
        if common not in written:
            written[common] = letter(with_blanks(invite), None, LINK, may_join=True, blanks=True)
        words = {EMAIL: invite.email, NAME: invite.name, URL: tokens.link(purposes.SIGNUP, invite.pk)}
        words[DECLINE_URL] = tokens.link(purposes.DECLINE, invite.pk)
        at = next(leaving) if leaving else None
        mails.append(filled(written[common], invite.email, words, about=invite.pk, at=at))
    return mails


def same_for(invite: "Invite") -> tuple[Any, ...]:
    """What tells one wording from another; the lengths decide where lines are broken."""
    lengths = len(invite.email), len(invite.name)
    return invite.language, invite.invited_by_id, invite.source, invite.note, invite.expires_at, lengths


def with_blanks(invite: "Invite") -> "Invite":
    blanks = copy(invite)
    blanks.email, blanks.name = blank(EMAIL, len(invite.email)), blank(NAME, len(invite.name))
    return blanks


def from_member(seen: "Invite", linked: "Invite | None", account: User | None) -> OutboxMessage:
    """What a member's invitation says, not stored yet; without a link of ours to somebody who has an account.

    `seen` is the invitation as the member sees it; `linked` is another row, perhaps of another inviter, whose link is
    mailed. None for who has an account.
    """
    if linked is not None:
        said = type(seen)(**{name: getattr(seen, name) for name in ("email", "note", "language", "invited_by")})
        said.pk, said.source, said.expires_at = linked.pk, "member", linked.expires_at
        return invitations([said])[0]
    with preferences.read_by(account.settings if account else {}, seen.language) as language:
        context = {
            "username": account.username if account else "",
            "note": seen.note,
            "url": f"{settings.SITE_URL}/login",
            **sender(seen),
        }
    return write(
        "invite_known",
        seen.email,
        context,
        language=language,
        source="member",
        reply_to=reply_to(seen),
        about=seen.pk,
    )


def letter(
    invite: "Invite", account: User | None, wish: str, *, may_join: bool, device: str = "", blanks: bool = False
) -> OutboxMessage:
    """The mail, not stored yet; with `blanks` for its links."""
    name, purpose = wording(invite, account, wish, may_join=may_join)
    with preferences.read_by(account.settings if account else {}, invite.language) as language:
        context: dict[str, Any] = {
            "email": invite.email,
            "username": account.username if account else invite.username,
            "url": tokens.link(purpose, invite.pk) if purpose else settings.SITE_URL,
            "reset_url": tokens.link(purposes.RESET, invite.pk),
            "until": times.until(invite.expires_at),
            "at": times.clock(timezone.now()),
            "device": notices.said(device),
            "note": invite.note,
            "registering": wish == REGISTER,
            **sender(invite),
        }
    if blanks:
        context |= {"url": blank(URL), "decline_url": blank(DECLINE_URL)}
    return write(
        name,
        invite.email,
        context,
        language=language,
        source=invite.source,
        reply_to=reply_to(invite) if name == "invite" else (),
        about=invite.pk,
    )


def reminder(invite: "Invite") -> OutboxMessage:
    """The one mail that says again that somebody is invited, not stored yet."""
    with preferences.read_by({}, invite.language) as language:
        context = {
            "email": invite.email,
            "url": tokens.link(purposes.SIGNUP, invite.pk),
            "sent": times.on(invite.sent_at or invite.created_at),
            "until": times.until(invite.expires_at),
            "day": times.day(invite.expires_at),
            **sender(invite),
        }
    return write(
        "invite_reminder",
        invite.email,
        context,
        language=language,
        source=invite.source,
        reply_to=reply_to(invite),
        about=invite.pk,
    )


def sender(invite: "Invite") -> dict[str, str]:
    """Who invites, and where one says no."""
    return {
        "inviter": invite.invited_by.username if invite.invited_by else settings.SITE_NAME,
        "inviter_email": invite.invited_by.email if invite.invited_by else "",
        "name": invite.name,
        "decline_url": tokens.link(purposes.DECLINE, invite.pk),
    }


def reply_to(invite: "Invite") -> list[str]:
    return [invite.invited_by.email] if invite.invited_by else []


def wording(invite: "Invite", account: User | None, wish: str, *, may_join: bool) -> tuple[str, tokens.Purpose | None]:
    """Which mail, and what its link is for."""
    if account:
        return (wish, purposes.RESET) if wish in {RESET, DISOWNED} else ("link_known", purposes.CONFIRM)
    if wish == RESET:
        return "reset_unknown", None
    if not may_join:
        return "closed", None
    if wish == REGISTER:
        return "register", purposes.CONFIRM
    return ("link_new" if invite.source == "self" else "invite"), purposes.SIGNUP


def ask_to_readdress(invite: "Invite") -> None:
    """To who sent it: its holder wants it sent to another address."""
    if invite.invited_by:
        with preferences.read_by(invite.invited_by.settings) as language:
            context = {
                "email": invite.email,
                "other": invite.readdress_to,
                "inviter": invite.invited_by.username,
                "url": tokens.link(purposes.READDRESS, invite.pk),
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
