"""Writes the mails of links and invitations: chooses which, in which language and with what in it. Needs no request."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import groups, names, notices, preferences
from accounts.models import User
from accounts.notices import without_link
from invites import purposes, who_may_join
from kit import times, tokens
from kit.addresses import readable
from kit.hosts import unlinked
from outbox.mail.write import post, write
from outbox.models import OutboxMessage
from sso.models import App

if TYPE_CHECKING:
    from invites.models import Invite, MagicLink

WITH_RESET = {"link_known", "link_proof"}  # mails that also lead to a new password
MOST_IN_SUBJECT = 25  # letters of the names of groups, or of an app


def letter(link: "MagicLink", account: User | None, *, may_join: bool) -> OutboxMessage:
    """Returns the mail for a link that was asked for, or for an invitation's own link. It is not stored yet.

    Which mail fits depends on `account`, the account with the link's address or None, and on `may_join`: whether the
    address may make one.
    """
    name, purpose = wording(link, account, may_join=may_join)
    if name == "invite" and link.invite:
        return invitation(link.invite, link)
    if name == "invite_group" and link.invite and account:
        return into_groups(link.invite, account)
    with preferences.override(account.settings if account else {}, language_of(link)) as language:
        context = {
            "email": readable(link.email),
            "username": without_link(account.username if account else link.username),
            "url": settings.SITE_URL,
            "until": times.until(link.expires_at),
            "at": times.clock(timezone.now()),
            "device": notices.device_in_words(link.device),
            "registering": link.purpose == link.Purpose.REGISTER,
        }
        if name == "closed":
            ask_url = f"{settings.SITE_URL}{reverse('ask')}" if who_may_join.can_ask() else ""
            context |= {"refusal": who_may_join.refusal(link.email), "ask_url": ask_url}
    source = link.invite.source if link.invite else "self"
    leads = {"url": purpose, "reset_url": purposes.RESET if name in WITH_RESET else None}
    links = {called: tokens.unsigned(leads_to, link.pk) for called, leads_to in leads.items() if leads_to}
    # The holder has not asked for an invitation's own link.
    own = link.invite if link.purpose == link.Purpose.INVITE else None
    click = one_click(own) if own else []
    return write(
        name, link.email, context, language=language, source=source, about=link.pk, links=links, one_click=click
    )


def wording(link: "MagicLink", account: User | None, *, may_join: bool) -> tuple[str, tokens.Purpose | None]:
    """Returns the name of the template for the link's mail, and the purpose of the token in it; None for no token.

    `account` is the account with the link's address, if any; `may_join` says whether the address may make one.
    """
    asked = link.Purpose
    if account:
        resets = {asked.RESET: "reset", asked.RENEWED: "reset", asked.DISOWNED: "disowned"}
        name = resets.get(asked(link.purpose))
        return (name, purposes.RESET) if name else (wording_of_sign_in(link), purposes.CONFIRM)
    if link.purpose in {asked.RESET, asked.RENEWED}:
        return "reset_unknown", None
    if not may_join:
        return ("request_confirm", purposes.REQUEST) if link.purpose == asked.REQUEST else ("closed", None)
    if link.purpose == asked.REGISTER:
        return "register", purposes.CONFIRM
    return ("invite" if link.invite else "link_new"), purposes.SIGNUP


def wording_of_sign_in(link: "MagicLink") -> str:
    """Returns the name of the template for the mail of a link that signs in."""
    if link.purpose == link.Purpose.INVITE and link.invite and link.invite.promised:
        return "invite_group"
    return "link_proof" if link.purpose == link.Purpose.PROOF else "link_known"


def language_of(link: "MagicLink") -> str:
    """Returns the language code of the link's invitation, else that in which the link was asked for; "" if unknown."""
    return (link.invite.language if link.invite else "") or link.language


def invitation(invite: "Invite", link: "MagicLink | None" = None) -> OutboxMessage:
    """Returns the mail of an invitation, not stored yet.

    It carries `link`, which is the invitation's own link or one that its holder has asked for; by default the former.
    That of a new invitation which answers a request to join says that the answer is yes.
    """
    carried = link or invite
    asked = link is not None and link.pk != invite.pk
    with preferences.override({}, language_of(link) if link else invite.language) as language:
        words = invitation_words(invite) | {"until": times.until(carried.expires_at)}
        name = "request_yes" if invite.asked_at else "invite"
        words |= {"asked": times.on(invite.asked_at)} if invite.asked_at else {}
    return write_invitation(name, invite, words, language, carries=carried.pk, asked=asked)


def invitations(
    invites: "Sequence[Invite]",
    leaving: Iterator[datetime] | None = None,
    accounts: Mapping[str, User] = MappingProxyType({}),
) -> list[OutboxMessage]:
    """Returns the mails of invitations from staff, in the same order, not stored yet.

    `leaving` yields the time when each is to leave, and must not end before `invites`; None is now. `accounts` are
    those that the addresses have, by address: their owners are invited into groups.
    """
    mails = []
    name_groups([invite for invite in invites if invite.email in accounts])
    name_apps(invites)
    for invite in invites:
        account = accounts.get(invite.email)
        mail = into_groups(invite, account) if account else invitation(invite)
        if leaving:
            mail.schedule(next(leaving))
        mails.append(mail)
    return mails


def from_member(invite: "Invite", account: User | None) -> OutboxMessage:
    """Returns the mail of a member's invitation, not stored yet. `account` has the invited address; None if none has.

    To an address with an account the mail carries no token but that to decline: it names the sign-in page.
    """
    if account is None:
        return invitation(invite)
    with preferences.override(account.settings, invite.language) as language:
        words = {"username": without_link(account.username), "note": invite.note, "url": f"{settings.SITE_URL}/login"}
    return write_invitation("invite_known", invite, words | sender(invite), language)


def into_groups(invite: "Invite", account: User, note: str = "") -> OutboxMessage:
    """Returns the mail that invites the owner of an account into groups, or reminds them of it. It is not stored yet.

    Its button opens a page of one button, for as long as the invitation lasts. `note` stands in the place of that of
    the invitation.
    """
    groups = ", ".join(unlinked(name) for name in invite.promised.values())
    with preferences.override(account.settings, invite.language) as language:
        words = invitation_words(invite) | {
            "username": without_link(account.username),
            "groups": groups,
            "note": note or invite.note,
            "short": groups if len(groups) <= MOST_IN_SUBJECT else settings.SITE_NAME,
            "until": times.until(invite.expires_at),
        }
    return write_invitation("invite_group", invite, words, language, carries=invite.pk, purpose=purposes.CONFIRM)


def name_groups(invites: "Sequence[Invite]") -> None:
    """Reads into each of these invitations the names of the groups that it promises, in one statement for them all."""
    ids = {group for invite in invites for group in invite.group_ids}
    named = groups.names(ids) if ids else []
    for invite in invites:
        invite.promised = invite.promise(named)


def name_apps(invites: "Sequence[Invite]") -> None:
    """Reads into each of these invitations the app that it leads to, in one statement for them all; none without apps.

    One that is turned off, or was deleted meanwhile, is left out: Invite.open_app.
    """
    named = {invite.app_id for invite in invites if invite.app_id}
    rows = App.objects.select_related("client").filter(pk__in=named, is_active=True) if named else ()
    apps = {app.pk: app for app in rows}
    for invite in invites:
        invite.open_app = apps.get(invite.app_id)


def reminder(invite: "Invite", account: User | None = None, note: str = "") -> OutboxMessage:
    """Returns the mail that reminds a person of their invitation, not stored yet.

    The owner of an `account` is invited into the groups of the invitation once more. `note` is a line of whoever
    reminds them, for this mail alone.
    """
    if account:
        return into_groups(invite, account, note)
    with preferences.override({}, invite.language) as language:
        words = invitation_words(invite) | {
            "note": note,
            "sent": times.on(invite.sent_at or invite.created_at),
            "until": times.until(invite.expires_at),
        }
    return write_invitation("invite_reminder", invite, words, language, carries=invite.pk)


def write_invitation(
    name: str,
    invite: "Invite",
    words: dict[str, Any],
    language: str,
    *,
    carries: UUID | None = None,
    purpose: tokens.Purpose = purposes.SIGNUP,
    asked: bool = False,
) -> OutboxMessage:
    """Returns the mail of the template `name` for the address of `invite`, not stored yet.

    `words` is the context of the template, `language` a code. Answers go to the inviter, if there is one, else to
    support. `carries` is the id of the link in the mail by which the person joins, if it has one, and `purpose` that of
    its token. Unless its holder has `asked` for that link, the mail can be declined by one click.
    """
    links = {"decline_url": tokens.unsigned(purposes.DECLINE, invite.pk)}
    if carries:
        links["url"] = tokens.unsigned(purpose, carries)
    return write(
        name,
        invite.email,
        words,
        language=language,
        source=invite.source,
        reply_to=[invite.invited_by.email] if invite.invited_by else [],
        about=carries or invite.pk,
        links=links,
        one_click=[] if asked else one_click(invite),
    )


def one_click(invite: "Invite") -> list[str]:
    """Returns the link, not signed yet, by which a mail program declines the invitation for its user."""
    return tokens.unsigned(purposes.ONE_CLICK, invite.pk)


def invitation_words(invite: "Invite") -> dict[str, Any]:
    """Returns the template context that every mail of an invitation needs, except its link and its end.

    `app` is the name of its app, `app_short` the same if it fits into a subject; both are "" without an app.
    """
    app = unlinked(invite.open_app.name) if invite.open_app else ""
    named = {"app": app, "app_short": app if len(app) <= MOST_IN_SUBJECT else ""}
    return {"email": readable(invite.email), "note": invite.note, **named, **sender(invite)}


def sender(invite: "Invite") -> dict[str, str]:
    """Returns the template context that names the inviter and the person. Without an inviter, the site is named."""
    called = inviter(invite)
    return {
        "inviter": called,
        "inviter_short": called if len(called) <= names.MAX_LENGTH else f"{called[: names.MAX_LENGTH - 1].rstrip()}…",
        "inviter_email": readable(invite.invited_by.email) if invite.invited_by else "",
        "name": invite.name,
    }


def inviter(invite: "Invite") -> str:
    """Returns the inviter's name, or the username without a link for mail programs to find, or the name of the site."""
    if invite.invited_by is None:
        return settings.SITE_NAME
    return invite.invited_by.name or unlinked(invite.invited_by.username)


def prove_other(invite: "Invite", person: User, code: str, until: datetime, language: str) -> None:
    """Mails the invited address a `code`, which is good `until` then: by it `person` accepts with another address.

    `language` is that in which it was asked for. The mail is stored in the caller's transaction.
    """
    with preferences.override({}, invite.language or language) as spoken:
        context = {"me": readable(person.email), "email": readable(invite.email), "code": code}
        context["until"] = times.until(until)
        post("prove_other", invite.email, context, language=spoken)


def ask_to_readdress(invite: "Invite") -> None:
    """Mails the sender of an invitation that its holder wants it at another address, `invite.readdress_to`.

    Does nothing if the sender's account is gone. The mail is stored in the caller's transaction.
    """
    if invite.invited_by:
        with preferences.override(invite.invited_by.settings) as language:
            context = {
                "email": readable(invite.email),
                "other": readable(invite.readdress_to),
                "inviter": inviter(invite),
            }
            links = {"url": tokens.unsigned(purposes.READDRESS, invite.pk)}
            post("readdress", invite.invited_by.email, context, language=language, links=links)


def taken_over(colleague: User, left: User, number: int, url: str) -> None:
    """Mails the colleague that somebody who has left has handed them this number of open invitations.

    `url` is where the colleague sees them. The mail is stored in the caller's transaction.
    """
    with preferences.override(colleague.settings) as language:
        context = {"by": without_link(left.username), "count": number, "url": url}
        post("taken_over", colleague.email, context, language=language)


def tell_not_readdressed(invite: "Invite") -> None:
    """Mails `invite.readdress_to`, where its holder wanted the invitation, that its sender has left it as it is.

    The mail is stored in the caller's transaction.
    """
    account = User.objects.filter(email=invite.readdress_to).first()
    spoken = invite.readdress_language or invite.language
    with preferences.override(account.settings if account else {}, spoken) as language:
        context = {
            "email": readable(invite.email),
            "other": readable(invite.readdress_to),
            "inviter": inviter(invite),
        }
        post("not_readdressed", invite.readdress_to, context, language=language)
