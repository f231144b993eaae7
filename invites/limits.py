"""Limits on asking for mails and on pressing mailed links. Those by mailbox, for all doors, are in outbox/limits.py."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from kit.rate_limit import Guesses, Limit, NetworkQuota, Quota
from outbox.limits import MAILBOX_A_DAY, MAILBOX_AN_HOUR

# Asking for mails. By address, what one person needs; by network, what an office behind one IP address needs.
ASK_PER_ADDRESS_AT_ONCE = Quota(
    "ask-at-once",
    most=1,
    window=timedelta(minutes=1),
    reason=_("We sent an email less than a minute ago. You can send another one after %(time)s."),
)
ASK_PER_ADDRESS = Quota(
    "ask",
    most=5,
    window=timedelta(hours=1),
    reason=_("We sent several emails to this address within an hour. You can send another one after %(time)s."),
)
ASK_PER_NETWORK = NetworkQuota("ask-network", most=60, window=timedelta(minutes=10))
# Asking on devices on which the owner of the address has signed in before: strangers cannot use these mails up.
ASK_PER_OWNER = Quota("ask-owner", most=5, window=timedelta(hours=1), reason=MAILBOX_AN_HOUR.reason)
ASK_PER_OWNER_A_DAY = Quota("ask-owner-day", most=10, window=timedelta(days=1), reason=MAILBOX_A_DAY.reason)

# Wrong codes from the page of a link, by the last link that this browser has asked for. No network is counted: only a
# browser that has asked can be right, and whoever guesses in others must not shut out the one that has the code.
CODE_PER_ASKING = Guesses("relay-code", most=5, window=timedelta(hours=1))

# Asking to join: how many a day from one network, an office or a school, and in all, so that no flood of requests can
# be mailed or has to be read. The number of those who know each other's network is small; that of a site is large.
REQUESTS_PER_NETWORK = NetworkQuota("requests-network", most=20, window=timedelta(days=1))
REQUESTS_A_DAY = Quota(
    "requests-day",
    most=500,
    window=timedelta(days=1),
    reason=_("Very many people have asked to join today. You can ask after %(time)s."),
)
# Mails to staff that people wait for an answer.
REQUEST_NOTICES = Quota("request-notices", most=1, window=timedelta(hours=1))

# Wrong codes for an invitation that went to another address, by invitation and person.
CODE_AS_ME = Guesses(
    "code-as-me",
    most=5,
    window=timedelta(minutes=15),
    reason=_("Too many wrong codes. You can enter one again after %(time)s."),
)

# Sending oneself the mail of a list before the list is sent.
SAMPLE_PER_STAFF = Quota("sample", most=20, window=timedelta(hours=1))

# Pressing links. The holder of a valid link is counted by the link alone: thirty people may share one IP address.
BAD_LINK_PER_NETWORK = Limit("bad-link", "30/10m")
PRESS_PER_LINK = Limit("press", "100/10m")
