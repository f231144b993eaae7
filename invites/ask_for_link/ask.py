"""Asking for a mailed link, for pages and JSON doors alike."""

import logging
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.session import devices
from invites import limits
from invites.ask_for_link.asked import LinkRequest
from invites.link import browser
from invites.models import MagicLink
from kit import rate_limit, visitor
from outbox import limits as mail_limits

log = logging.getLogger("frontdoor.invites")


def ask(request: HttpRequest, asked: LinkRequest, **given: Any) -> None:
    """Mails a link to the address in `asked`, whoever has it.

    `given` are further arguments of MagicLink.objects.issue(). The answer must pass through remember(), so that this
    browser is known again as the one that asked. Raises Limited after too many mails to the address or
    its mailbox, or from this network.
    """
    email, purpose, next_url = asked
    count(request, email, purpose)
    given |= {"language": get_language() or "", "device": visitor.device(request)}
    MagicLink.objects.issue(email, purpose, next=next_url, asked_in=browser.lasting_seal(request), **given)


def count(request: HttpRequest, email: str, purpose: str) -> None:
    """Counts a mail with a link to this address, and what is due for the visitor's network.

    Raises Limited after too many, before anything is read of the address.

    Anybody can use up the mails of an address for a day. So its owner has some more, to be asked for on devices that
    the account knows. What a visitor without their signed cookie sees and costs does not depend on the address.
    """
    network = rate_limit.take_due(request)
    # Counted apart, because a reset mail to an unknown address holds no link: within an hour, a stranger who asks for
    # these must not use up the mails that hold one.
    key = f"{purpose} {email}" if purpose == MagicLink.Purpose.RESET else email
    at_once = (limits.ASK_PER_ADDRESS_AT_ONCE, key)
    if purpose == MagicLink.Purpose.REQUEST:
        network += [*limits.REQUESTS_PER_NETWORK.of(request), (limits.REQUESTS_A_DAY, "")]
    try:
        mail_limits.take(email, *network, at_once, (limits.ASK_PER_ADDRESS, key), site=visitor.site(request))
    except rate_limit.Limited as reached:
        if isinstance(reached.limit, rate_limit.NetworkQuota) or not (owner := devices.known_owner(request, email)):
            raise
        own = owner.pk.hex
        rate_limit.take_all(at_once, (limits.ASK_PER_OWNER, own), (limits.ASK_PER_OWNER_A_DAY, own))


def ask_again(request: HttpRequest, asked: LinkRequest, instead: MagicLink | None = None) -> None:
    """Mails a fresh link to the address in `asked`. `instead` is the dead link that it replaces, if that is known.

    For the purpose REGISTER, the account planned with `instead`, or else the last one planned in this browser, is
    planned with the fresh link; so is what was asked for the purpose REQUEST. Raises Limited as ask() does.
    """
    planned: dict[str, Any] = {}
    if asked.purpose in {MagicLink.Purpose.REGISTER, MagicLink.Purpose.REQUEST}:
        planned = MagicLink.objects.plan(instead, asked.email, browser.seal(request))
    ask(request, asked, instead=instead, **planned)
