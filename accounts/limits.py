"""All limits in one place, worn by the views as decorators.

They count in fixed windows (django-ratelimit), in Redis or, while that is away, in each process's memory.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps

from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage

from accounts import clients, times

View = Callable[..., HttpResponseBase]

HALF_A_DAY = 12 * 60 * 60  # seconds; who waits longer must be told the day too


class Limited(Exception):
    """A limit is reached, for so many `seconds`, until `retry_at`; `words` say so to the visitor."""

    def __init__(self, limit: "Limit | Guesses", seconds: int) -> None:
        super().__init__(limit.name)
        self.seconds = max(1, seconds)
        # Pages name minutes, and nobody should come back within the one that is not over yet.
        self.retry_at = (timezone.now() + timedelta(seconds=self.seconds + 60)).replace(second=0, microsecond=0)
        self.reason = limit.reason

    @property
    def words(self) -> str:
        time = times.until(self.retry_at) if self.seconds > HALF_A_DAY else times.clock(self.retry_at)
        return str(self.reason) % {"time": time}


@dataclass(frozen=True)
class Limit:
    name: str
    rate: str  # count/period, as django-ratelimit writes it: "5/h", "30/10m"
    reason: Promise = _("Try again after %(time)s. Your account is not locked.")

    def check(self, request: HttpRequest, key: str) -> None:
        """Counts one more for `key`; raises Limited when that is one too many."""
        usage = get_usage(request, group=self.name, key=lambda _group, _request: key, rate=self.rate, increment=True)
        if usage and usage["should_limit"]:
            raise Limited(self, usage["time_left"])


@dataclass(frozen=True)
class Guesses:
    """A limit that only wrong tries count towards.

    Each is counted before it is known to be wrong, so that many at once are no way around it, and given back if right.
    """

    name: str
    most: int
    window: timedelta
    reason: Promise

    def take(self, key: str) -> int:
        """Counts one more for `key`, and gives how many that makes; raises Limited when it is one too many."""
        name = self._key(key)
        if cache.add(name, 1, int(self.window.total_seconds())):
            return 1
        try:
            taken = cache.incr(name)
        except ValueError:  # the window ended between the two
            return 1
        if taken > self.most:
            self.give_back(key)  # nobody looks at this one: many right ones at once must not add up to wrong ones
            left = cache.ttl(name) or self.window.total_seconds()  # type: ignore[attr-defined]
            raise Limited(self, int(left))
        return int(taken)

    def give_back(self, key: str) -> None:
        with suppress(ValueError):
            cache.decr(self._key(key))

    def _key(self, key: str) -> str:
        return f"{self.name}:{hashlib.sha256(key.encode()).hexdigest()}"


# Mails asked for: what one person needs, and what an office behind one address needs.
ASK_PER_ADDRESS_AT_ONCE = Limit(
    "ask-at-once", "1/m", _("We sent an email less than a minute ago. You can send another one after %(time)s.")
)
ASK_PER_ADDRESS = Limit(
    "ask", "5/h", _("We sent several emails to this address within an hour. You can send another one after %(time)s.")
)
ASK_PER_NETWORK = Limit("ask-network", "60/10m")

# Passwords tried.
# A name and the address of one account are counted apart: a stranger must not learn that they belong together.
LOGIN_PER_NAME = Guesses(
    "login-name",
    most=5,
    window=timedelta(minutes=5),
    reason=_("Try again after %(time)s, or use a link from your email. Your account is not locked."),
)
# A device that was there before has its own count: what others do must not lock it out.
LOGIN_PER_DEVICE = Guesses("login-device", most=20, window=timedelta(minutes=15), reason=LOGIN_PER_NAME.reason)
LOGIN_PER_NETWORK = Limit("login-network", "60/10m")
# Visits to Google; each costs a row in the table of sessions.
GOOGLE_PER_NETWORK = Limit("google-network", "60/10m")
# By somebody signed in, who is asked for the password again: perhaps at a laptop that its owner left open.
PASSWORD_PER_USER = Limit("password-user", "10/15m", LOGIN_PER_NAME.reason)

# Codes tried, by who has the password already: a million are possible, and three are right at any time.
FACTOR_PER_NETWORK = Limit("factor-network", "60/10m")
FACTOR_PER_USER = Guesses(
    "factor-user",
    most=5,
    window=timedelta(minutes=15),
    reason=_("Try again after %(time)s, or at once on a device you have used before. Your account is not locked."),
)
FACTOR_PER_USER_A_DAY = Guesses("factor-user-day", most=20, window=timedelta(days=1), reason=FACTOR_PER_USER.reason)
# A device that was there before has its own count here too: a stranger who has the password must not lock it out.
FACTOR_PER_DEVICE = Guesses("factor-device", most=20, window=timedelta(minutes=15), reason=Limit.reason)
FACTOR_ON_DEVICES_A_DAY = Guesses("factor-devices-day", most=100, window=timedelta(days=1), reason=Limit.reason)
# Mails about strangers who try codes.
FACTOR_NOTICES_PER_USER = Limit("factor-notices", "1/d")

# Links pressed. Whoever holds a valid invite is counted by the invite alone: thirty people may sit behind one address.
BAD_LINK_PER_NETWORK = Limit("bad-link", "30/10m")
PRESS_PER_INVITE = Limit("press", "100/10m")

# Everything else that is posted: signing out, choosing a language.
POST_PER_NETWORK = Limit("post", "300/10m")
# Mails about new devices.
NEW_DEVICES_PER_USER = Limit("new-devices", "10/h")
# Codes mailed to an address that somebody wants to take, apart from the mails that hold a way in: nobody should be able
# to use those up. And codes typed.
CODE_PER_ADDRESS = Limit("code-address", "5/h", ASK_PER_ADDRESS.reason)
CODE_PER_USER = Limit("code-user", "20/h")
# What mails somebody, takes a name from others, or reads everything there is.
CHANGE_PER_USER = Limit("change-user", "20/h")


def per_network(limit: Limit) -> Callable[[View], View]:
    """Counts by the visitor's network whatever may change something."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method not in {"GET", "HEAD", "OPTIONS"}:
                limit.check(request, clients.network(request))
            return view(request, *args, **kwargs)

        return wrapper

    return decorator
