"""A new password from a mailed link, at whichever door."""

from django.http import HttpRequest

from accounts.models import Superseded, User
from accounts.session import devices
from invites import purposes
from invites.link import browser
from invites.models import MagicLink
from kit import visitor


class NoAccount(Exception):
    """Nobody has the address of the link, or not any more."""


class TurnedOff(Exception):
    """Its account is deactivated; who holds the link may be told so."""


def owner(link: MagicLink) -> User:
    """Whose password its link lets choose. Raises NoAccount, TurnedOff, or Superseded when it is too old for that."""
    account = User.objects.filter(email=link.email).first()
    if account is None:
        raise NoAccount
    if not account.is_active:
        raise TurnedOff
    if not link.signs_in(account):
        raise Superseded
    return account


def save(request: HttpRequest, link: MagicLink, account: User, password: str) -> None:
    """Ends every session; whoever has the new password then signs in with it.

    Raises Unavailable, or Superseded: another of its links was faster, or "this was not me".
    """
    link.reset_password(account, password, browser=browser.identify(request, purposes.RESET), **visitor.trace(request))
    devices.recognize(request, account)  # where the mailbox is read is no news
