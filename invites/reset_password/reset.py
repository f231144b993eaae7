"""Saves a new password with a mailed link, for the page and the JSON door alike."""

from django.http import HttpRequest

from accounts.models import Superseded, User
from accounts.session import devices
from invites import purposes
from invites.link import browser
from invites.models import MagicLink
from kit import visitor


class NoAccount(Exception):
    """No account has the address of the link, or none any more."""


class TurnedOff(Exception):
    """The account of the link is turned off. The visitor holds the link, so has its mailbox, and may be told."""


class SignedInSince(Exception):
    """The owner of the account has signed in since the link was mailed, so it sets no new password any more."""


def owner(link: MagicLink) -> User:
    """Returns the account whose password a link lets its holder choose.

    Raises NoAccount if no account has the link's address, TurnedOff if the account is turned off, Superseded if it has
    ended all sessions since the link was mailed, or is newer than a link that is older than an hour, and SignedInSince
    if its owner has signed in since.
    """
    account = User.objects.filter(email=link.email).first()
    if account is None:
        raise NoAccount
    if not account.is_active:
        raise TurnedOff
    if not link.signs_in(account):
        raise Superseded
    if link.is_outrun(account):
        raise SignedInSince
    return account


def save(request: HttpRequest, link: MagicLink, account: User, encoded: str) -> None:
    """Uses the link to set the account's new password, and ends every session. Nobody is signed in by it.

    `encoded` is the hash of a password that was checked. The owner is mailed, and an invitation of the link is
    accepted. Raises Unavailable when the link works no longer, and Superseded when all sessions of the account have
    ended since it was read: by another of its links, or by "this was not me".
    """
    here = browser.identify(request, purposes.RESET)
    link.reset_password(account, encoded=encoded, browser=here, **visitor.trace(request))
    devices.mark_known(request, account)  # a device that reads the mailbox is no new device to warn of
