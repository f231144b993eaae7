"""A new password from a mailed link, at whichever door."""

from django.http import HttpRequest

from accounts.models import Superseded, User
from accounts.session import devices
from invites.link import browser
from invites.models import Invite
from kit import visitor


class NoAccount(Exception):
    """Nobody has the address of the link, or not any more."""


class TurnedOff(Exception):
    """Its account is deactivated; who holds the link may be told so."""


def owner(invite: Invite) -> User:
    """Whose password its link lets choose. Raises NoAccount, TurnedOff, or Superseded when it is too old for that."""
    account = User.objects.filter(email=invite.email).first()
    if account is None:
        raise NoAccount
    if not account.is_active:
        raise TurnedOff
    if not invite.signs_in(account):
        raise Superseded
    return account


def save(request: HttpRequest, invite: Invite, account: User, password: str) -> None:
    """Ends every session; whoever has the new password then signs in with it.

    Raises InviteUnavailable, or Superseded: another of its links was faster, or "this was not me".
    """
    invite.reset_password(account, password, browser=browser.identify(request), **visitor.trace(request))
    devices.recognize(request, account)  # where the mailbox is read is no news
