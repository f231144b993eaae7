"""Mails that tell the owner of an account what was done with it, and what to do if somebody else did it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts import preferences, profile_fields
from kit import addresses, hosts, times, tokens, visitor
from outbox.mail.write import post, write
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from accounts.models import Event, User

# The button in mails about an account. Its salt still names the room that tokens were first made for.
NOT_ME = tokens.Purpose("frontdoor.invites.not-me", "not_me")
# The button in the mail to somebody who is leaving: the account stays.
KEEP = tokens.Purpose("frontdoor.accounts.keep", "leaving_keep")

# The mail for each kind of event, by its name in templates/mail/.
MAILS = {
    "signed_in": "new_device",
    "guessed": "guessed",
    "password_changed": "password_changed",
    "username_changed": "username_changed",
    "email_changed": "email_changed",
    "email_restored": "email_restored",
    "notices_off": "notices_off",
    "google_connected": "google_connected",
    "google_disconnected": "google_disconnected",
    "second_factor_on": "second_factor_on",
    "second_factor_off": "second_factor_off",
    "recovery_codes": "recovery_codes",
    "recovery_code_used": "recovery_code_used",
    "code_failed": "code_failed",
    "exported": "exported",
    "came_back": "stays",
}
FINAL = {"email_restored"}  # mails to an address that has no say about the account any more


def tell(event: "Event") -> None:
    """Mails the owner about an event, as letter() says. The mail is stored in the caller's transaction.

    Raises KeyError for an event of a kind that is not in MAILS.
    """
    if mail := letter(event):
        mail.save()


def letter(event: "Event") -> OutboxMessage | None:
    """Returns the mail about an event, to the address it names (Event.told), with a link to say "this was not me".

    It is not stored yet. For a deleted account there is none, nor for one whose owner is leaving: they are mailed
    nothing but the way back. Mails in FINAL have no link. Raises KeyError for an event of a kind that is not in MAILS.
    """
    if event.user is None or event.user.leaves_at:
        return None
    name, google = MAILS[event.kind], event.detail.get("google", "")
    with preferences.override(event.user.settings) as language:
        context = {
            "username": without_link(event.user.username),
            "before": without_link(event.detail.get("before", "")),
            "google": google and addresses.readable(google),
            "left": event.detail.get("left", 0),
            "count": event.detail.get("count", 0),
            "ip": event.ip or "",
            "by": event.detail.get("by", ""),
            "replaces": event.detail.get("replaces", False),
            "heard_again": event.detail.get("heard_again", False),
            "factor_stays": event.detail.get("factor_stays", False),
            "new_masked": addresses.mask(event.user.email),
            "device": device_in_words(event.device),
            "when": times.on(event.at),
            "until": times.until(event.works_until),
        }
        links = {} if name in FINAL else {"url": tokens.unsigned(NOT_ME, event.pk)}
        return write(name, event.told, context, language=language, links=links)


def mail_staff_changes(user: "User", before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Mails the owner what staff have changed at the desk, to the present address and to the former one, if it changed.

    `before` and `after` hold the values of what has changed, as in_words() takes them. The mails are stored in the
    outbox, in the caller's transaction.
    """
    with preferences.override(user.settings) as language:
        changes = in_words({name: [before[name], after[name]] for name in before})
        context = {"username": without_link(user.username), "changes": changes, "when": times.on(timezone.now())}
        for address in sorted({user.email, before.get("email", user.email)}):
            post("changed_by_staff", address, context, language=language)


def rights_changed(user: "User", changed: Mapping[str, Sequence[Any]], by: "User") -> OutboxMessage:
    """Returns the mail that tells the owner that `by` has changed their rights at the desk. It is not stored yet.

    `changed` is as in_words() takes it.
    """
    with preferences.override(user.settings) as language:
        context = {
            "by": without_link(by.username),
            "changes": in_words(changed),
            "when": times.on(timezone.now()),
            "url": f"{settings.SITE_URL}{reverse('account')}",
        }
        return write("rights_changed", user.email, context, language=language)


def mail_power_used(
    superusers: "Iterable[User]", event: "Event", what: "str | Promise", changed: Mapping[str, Sequence[Any]]
) -> None:
    """Mails superusers what somebody else has done at the desk: `event` says who and when; nobody, if by a command.

    `what` names the person or thing, and `changed` is as in_words() takes it. The mails are stored in the outbox, in
    one statement, in the caller's transaction.
    """
    mails = []
    for superuser in superusers:
        with preferences.override(superuser.settings) as language:
            done = {"added": _("added"), "changed": _("changed"), "deleted": _("deleted")}[event.detail["done"]]
            named = without_link(str(what)) if "whom" in event.detail else str(what)
            context = {
                "by": without_link(event.user.username) if event.user else "",
                "device": device_in_words(event.device),
                "when": times.on(event.at),
                "changes": [f"{named}: {done}", *in_words(changed)],
            }
            mails.append(write("power_used", superuser.email, context, language=language))
    OutboxMessage.objects.bulk_create(mails)


def in_words(changed: Mapping[str, Sequence[Any]]) -> list[str]:
    """Returns one line in the active language for each changed field of an account.

    `changed` has pairs of the former and the present value of "username", "name", "email" (which is masked),
    "is_active", "is_staff", "is_superuser" and "groups" (lists of names).
    """
    yes_no = {True: _("yes"), False: _("no")}
    is_on = changed.get("is_active", (False, True))[1]
    lines = {
        "username": _("Username: %(before)s → %(after)s"),
        "name": _("Name: %(before)s → %(after)s"),
        "email": _("Email address: %(before)s → %(after)s"),
        "is_active": _("The account was turned on") if is_on else _("The account was turned off"),
        "is_staff": _("May use the desk: %(before)s → %(after)s"),
        "is_superuser": _("May do everything at the desk: %(before)s → %(after)s"),
        "groups": _("Groups: %(before)s → %(after)s"),
    }
    own = profile_fields.by_form_name()
    for column, field in own.items():
        label = field.label.replace("%", "%%")
        lines[column] = f"{label}: %(before)s → %(after)s"

    def said(name: str, value: Any) -> str:
        if name == "email":
            return addresses.mask(value)
        if name == "groups":
            return ", ".join(value) or "–"
        if name in own:
            value = own[name].shown(value)
        return yes_no[value] if isinstance(value, bool) else without_link(str(value)) or "–"

    return [
        lines[name] % {"before": said(name, changed[name][0]), "after": said(name, changed[name][1])}
        for name in lines
        if name in changed
    ]


def way_back(user: "User", event: "Event", until: datetime) -> None:
    """Mails the owner of a leaving account that it can be kept until then, with a button that keeps it.

    It goes to the account's address and, as farewell() does, to those it has left in the last 72 hours. `event` records
    that the deletion was chosen. The mails are stored in the outbox, in the caller's transaction.
    """
    with preferences.override(user.settings) as language:
        context = {
            "username": without_link(user.username),
            "device": device_in_words(event.device),
            "when": times.on(event.at),
            "until": times.until(until),
        }
        for address in sorted({user.email, *user.address.former()}):
            post("leaving", address, context, language=language, links={"url": tokens.unsigned(KEEP, event.pk)})


def farewell(user: "User", event: "Event", device: str) -> None:
    """Mails that the account is being deleted, to its address and to those it has left in the last 72 hours.

    `event` records the deletion: the mail has its time and a part of its id. `device` is where the deletion was asked
    for, as kit.visitor.device() returns it. The mails are stored in the outbox, in the caller's transaction.
    """
    with preferences.override(user.settings) as language:
        context = {
            "username": without_link(user.username),
            "device": device_in_words(device),
            "when": times.on(event.at),
        }
        for address in sorted({user.email, *user.address.former()}):
            post("deleted", address, context | {"ref": event.pk.hex[-12:]}, language=language)


def code(user: "User", email: str, secret: str, device: str) -> None:
    """Mails the code `secret` to a new address, `email`: whoever enters it has that mailbox.

    `device` is where the code was asked for, as kit.visitor.device() returns it. The mail is stored in the outbox, in
    the caller's transaction.
    """
    with preferences.override(user.settings) as language:
        context = {
            "username": without_link(user.username),
            "email": addresses.readable(email),
            "code": secret,
            "device": device_in_words(device),
        }
        post("email_code", email, context, language=language)


def mail_address_owner(owner: "User", device: str) -> None:
    """Mails `owner` that another account wanted to change to their address.

    `device` is where that was tried, as kit.visitor.device() returns it. The mail is stored in the outbox, in the
    caller's transaction.
    """
    with preferences.override(owner.settings) as language:
        context = {
            "username": without_link(owner.username),
            "device": device_in_words(device),
            "url": settings.SITE_URL,
        }
        post("email_taken", owner.email, context, language=language)


def test_mail(user: "User") -> None:
    """Mails the user a test that they asked for. The mail is stored in the outbox, in the caller's transaction."""
    with preferences.override(user.settings) as language:
        post("test_mail", user.email, {"when": times.on(timezone.now())}, language=language)


def without_link(username: str) -> str:
    """Returns a username as it is, unless it reads as a web address: then without a link for mail programs to find.

    No such name can be chosen; those that are older stand in mails all the same.
    """
    return hosts.unlinked(username) if hosts.HOST.search(username) else username


def device_in_words(device: str) -> str:
    """Returns a stored device in words of the active language: "Firefox on Windows", or "an unknown device".

    `device` is as kit.visitor.device() returns it.
    """
    return visitor.device_in_words(device) or _("an unknown device")
