"""Limits on mails that anybody can have sent to an address they name: of all doors together, by mailbox and network.

Invitations by staff, and mails about an account to its owner, are not among them.
"""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from kit import mailbox, rate_limit
from kit.rate_limit import Counted, Quota

# What one person may need who signs up, forgets the password and moves to another address, all on one day.
MAILBOX_AN_HOUR = Quota(
    "mailbox",
    most=6,
    window=timedelta(hours=1),
    reason=_("We sent several emails to this mailbox within an hour. You can send another one after %(time)s."),
)
MAILBOX_A_DAY = Quota(
    "mailbox-day",
    most=10,
    window=timedelta(days=1),
    reason=_("We sent several emails to this mailbox within a day. You can send another one after %(time)s."),
)
# What an office, a school or a mobile network behind one IP address may need. A device that has signed in before is
# not held up by it (invites/ask_for_link/ask.py).
NETWORK_A_DAY = Quota(
    "mail-network",
    most=500,
    window=timedelta(days=1),
    reason=_("Your network has asked for very many emails within a day. You can ask for another one after %(time)s."),
)


def take(email: str, *more: Counted, site: str = "") -> None:
    """Counts a mail to the mailbox of a normalized address, and in the quotas of `more`.

    `site` is the network of the visitor who asks for it (visitor.site()), which counts too; "" for members, whose
    invitations have a quota of their own. Raises Limited if any quota is used up, as rate_limit.take_all() does.
    """
    box = mailbox.of(email)
    network = [(NETWORK_A_DAY, site)] if site else []
    rate_limit.take_all(*more, (MAILBOX_AN_HOUR, box), (MAILBOX_A_DAY, box), *network)
