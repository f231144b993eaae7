"""Limits on asking for mails and on pressing mailed links."""

from django.utils.translation import gettext_lazy as _

from kit.rate_limit import Limit

# Asking for mails. By address, what one person needs; by network, what an office behind one IP address needs.
ASK_PER_ADDRESS_AT_ONCE = Limit(
    "ask-at-once", "1/m", _("We sent an email less than a minute ago. You can send another one after %(time)s.")
)
ASK_PER_ADDRESS = Limit(
    "ask", "5/h", _("We sent several emails to this address within an hour. You can send another one after %(time)s.")
)
ASK_PER_NETWORK = Limit("ask-network", "60/10m")

# Pressing links. The holder of a valid link is counted by the link alone: thirty people may share one IP address.
BAD_LINK_PER_NETWORK = Limit("bad-link", "30/10m")
PRESS_PER_LINK = Limit("press", "100/10m")
