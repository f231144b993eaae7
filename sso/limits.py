"""Limits of the doors for apps: wrong secrets, and the pages that anybody may read."""

from datetime import timedelta

from django.http import HttpRequest

from kit import rate_limit, visitor
from kit.rate_limit import Limit, NetworkQuota, Quota

# Wrong secrets. A right one passes whatever was counted, so a stranger can't lock an app out; nobody guesses 256 bits,
# and what is beyond the limit is noise.
WRONG_SECRET_PER_APP = Quota("app-secret", most=30, window=timedelta(minutes=10))  # by one network for one app
WRONG_SECRET_PER_NETWORK = NetworkQuota("app-secret-network", most=100, window=timedelta(minutes=10))
# Discovery and public keys: apps read them every few minutes, and all of them may stand in one network.
DISCOVERY_PER_NETWORK = Limit("discovery", "3000/10m")
# Strangers whom an app sends here to show anew who they are: each writes a row into the table of sessions.
SENT_BY_APP_PER_NETWORK = Limit("app-sent-network", "60/10m")
# People who are signed in, whom apps send here and take back: each time writes a row. Some apps ask silently every few
# minutes; only one that sends people round in a circle asks so often.
SENT_BY_APP_PER_PERSON = Limit("app-sent-person", "300/10m")
# Mails to superusers about people who ask for access.
ACCESS_NOTICES_PER_APP = Quota("access-notices", most=1, window=timedelta(days=1))


def count_wrong(request: HttpRequest, client_id: str) -> None:
    """Counts a wrong secret for an app, or one for an app that is none. Raises Limited beyond the limits."""
    per_app = (WRONG_SECRET_PER_APP, f"{client_id} {visitor.network(request)}")
    rate_limit.take_all(*WRONG_SECRET_PER_NETWORK.of(request), per_app)
