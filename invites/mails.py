"""The mail of a link or an invitation: which it is, in which language, with what in it. It needs no request."""

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

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
    from invites.models import Invite, MagicLink

EMAIL, NAME, URL, DECLINE_URL = range(4)  # the blanks of a mail to many


def letter(link: "MagicLink", account: User | None, *, may_join: bool, device: str = "") -> OutboxMessage:
    """The one mail with this link that fits the address today, not stored yet."""
    name, purpose = wording(link, account, may_join=may_join)
    if name == "invite" and link.invite:
        return invitation(link.invite, link)
    with preferences.read_by(account.settings if account else {}, language_of(link)) as language:
        context = {
            "email": link.email,
            "username": account.username if account else link.username,
            "url": tokens.link(purpose, link.pk) if purpose else settings.SITE_URL,
            "reset_url": tokens.link(purposes.RESET, link.pk),
            "until": times.until(link.expires_at),
            "at": times.clock(timezone.now()),
            "device": notices.said(device),
            "registering": link.purpose == link.Purpose.REGISTER,
        }
    source = link.invite.source if link.invite else "self"
    return write(name, link.email, context, language=language, source=source, about=link.pk)


def wording(link: "MagicLink", account: User | None, *, may_join: bool) -> tuple[str, tokens.Purpose | None]:
    """Which mail, and what its link is for."""
    asked = link.Purpose
    if account:
        resets = link.purpose in {asked.RESET, asked.DISOWNED}
        return (link.purpose, purposes.RESET) if resets else ("link_known", purposes.CONFIRM)
    if link.purpose == asked.RESET:
        return "reset_unknown", None
    if not may_join:
        return "closed", None
    if link.purpose == asked.REGISTER:
        return "register", purposes.CONFIRM
    return ("invite" if link.invite else "link_new"), purposes.SIGNUP


def language_of(link: "MagicLink") -> str:
    return (link.invite.language if link.invite else "") or link.language


def invitation(invite: "Invite", link: "MagicLink | None" = None) -> OutboxMessage:
    """The mail of an invitation, with its own link or one that its holder asked for, not stored yet."""
    carried = link or invite
    with preferences.read_by({}, language_of(link) if link else invite.language) as language:
        words = invitation_words(invite) | {"until": times.until(carried.expires_at)}
    words |= {"url": tokens.link(purposes.SIGNUP, carried.pk)}
    return write_invitation("invite", invite, words, language, about=carried.pk)


def invitations(invites: "Iterable[Invite]", leaving: Iterator[datetime] | None = None) -> list[OutboxMessage]:
    """The mails to people without an account who were invited, not stored yet; to leave at these times, or now.

    What many of them have in common is rendered once.
    """
    written: dict[Any, OutboxMessage] = {}
    mails = []
    for invite in invites:
        common = same_for(invite)
        if common not in written:
            written[common] = with_blanks(invite)
        words = {EMAIL: invite.email, NAME: invite.name, URL: tokens.link(purposes.SIGNUP, invite.pk)}
        words[DECLINE_URL] = tokens.link(purposes.DECLINE, invite.pk)
        at = next(leaving) if leaving else None
        mails.append(filled(written[common], invite.email, words, about=invite.pk, at=at))
    return mails


def same_for(invite: "Invite") -> tuple[Any, ...]:
    """What tells one wording from another; the lengths decide where lines are broken."""
    lengths = len(invite.email), len(invite.name)
    return invite.language, invite.invited_by_id, invite.source, invite.note, invite.expires_at, lengths


def with_blanks(invite: "Invite") -> OutboxMessage:
    """The mail of an invitation, with blanks for what tells it from others that say the same."""
    blanks = copy(invite)
    blanks.email, blanks.name = blank(EMAIL, len(invite.email)), blank(NAME, len(invite.name))
    with preferences.read_by({}, invite.language) as language:
        words = invitation_words(blanks) | {"until": times.until(invite.expires_at)}
    words |= {"url": blank(URL), "decline_url": blank(DECLINE_URL)}
    return write_invitation("invite", blanks, words, language)


def from_member(invite: "Invite", account: User | None) -> OutboxMessage:
    """What a member's invitation says, not stored yet; without a link of ours to somebody who has an account."""
    if account is None:
        return invitation(invite)
    with preferences.read_by(account.settings, invite.language) as language:
        words = {"username": account.username, "note": invite.note, "url": f"{settings.SITE_URL}/login"}
    return write_invitation("invite_known", invite, words | sender(invite), language)


def reminder(invite: "Invite") -> OutboxMessage:
    """The one mail that says again that somebody is invited, not stored yet."""
    with preferences.read_by({}, invite.language) as language:
        words = invitation_words(invite) | {
            "url": tokens.link(purposes.SIGNUP, invite.pk),
            "sent": times.on(invite.sent_at or invite.created_at),
            "until": times.until(invite.expires_at),
            "day": times.day(invite.expires_at),
        }
    return write_invitation("invite_reminder", invite, words, language)


def write_invitation(
    name: str, invite: "Invite", words: dict[str, Any], language: str, about: UUID | None = None
) -> OutboxMessage:
    """`about` is the link in it, if its holder has asked for that."""
    return write(
        name,
        invite.email,
        words,
        language=language,
        source=invite.source,
        reply_to=[invite.invited_by.email] if invite.invited_by else [],
        about=about or invite.pk,
    )


def invitation_words(invite: "Invite") -> dict[str, Any]:
    return {"email": invite.email, "note": invite.note, **sender(invite)}


def sender(invite: "Invite") -> dict[str, str]:
    """Who invites, and where one says no."""
    return {
        "inviter": invite.invited_by.username if invite.invited_by else settings.SITE_NAME,
        "inviter_email": invite.invited_by.email if invite.invited_by else "",
        "name": invite.name,
        "decline_url": tokens.link(purposes.DECLINE, invite.pk),
    }


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
