"""Limits of mails that are asked for and of links that are pressed."""

from django.utils.translation import gettext_lazy as _

from kit.rate_limit import Limit

# Mails asked for: what one person needs, and what an office behind one address needs.
ASK_PER_ADDRESS_AT_ONCE = Limit(
    "ask-at-once", "1/m", _("We sent an email less than a minute ago. You can send another one after %(time)s.")
)
ASK_PER_ADDRESS = Limit(
    "ask", "5/h", _("We sent several emails to this address within an hour. You can send another one after %(time)s.")
)
ASK_PER_NETWORK = Limit("ask-network", "60/10m")

# Links pressed. Whoever holds a valid link is counted by the link alone: thirty people may sit behind one address.
BAD_LINK_PER_NETWORK = Limit("bad-link", "30/10m")
PRESS_PER_LINK = Limit("press", "100/10m")
